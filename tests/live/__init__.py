"""Live proofs: a soak of a golden server that goes wrong after a third of its time, and of one that does not."""
