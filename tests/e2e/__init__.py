"""The suite as a user runs it, in processes of its own."""
