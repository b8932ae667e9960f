"""Verdicts on trial."""
