"""Faults of vectors: another form, another width, another text's, or what should have been refused."""
