"""Tools: how they are offered, how they are called, and what becomes of their results."""
