"""Stop strings: where an answer ends."""
