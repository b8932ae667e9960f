"""Faults in what is told of thought, and in what comes of it."""
