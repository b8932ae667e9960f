"""Vectors: their shape and form, what they may depend on, and what a server must refuse to embed."""
