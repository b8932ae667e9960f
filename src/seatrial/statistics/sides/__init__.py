"""Two sides asked the same: what their answers have in common, and what a difference between them is worth."""
