"""What fits into the context, and what does not."""
