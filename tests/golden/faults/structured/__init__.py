"""Faults of answers bound to JSON or to a schema: ignored, half enforced, or fatal; and what is unusual and right."""
