"""Detectors on trial: what they call on nights that are clean, and what they find on nights that are not."""
