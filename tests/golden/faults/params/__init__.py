"""Faults of parameters: ignored, half honoured, or fatal."""
