"""WEDGED: work waits, and nothing progresses."""
