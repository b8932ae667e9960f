"""A watch that was kept by hand: what its note proves, and what it cannot. Pure."""
