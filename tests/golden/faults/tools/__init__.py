"""Faults of tools: how they are offered, called, and what becomes of their results."""
