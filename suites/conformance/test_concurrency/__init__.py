"""Many clients at the same time."""
