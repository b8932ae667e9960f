"""Faults of HTTP below the API."""
