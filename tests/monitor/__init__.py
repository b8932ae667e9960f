"""The recorder on trial, with real processes."""
