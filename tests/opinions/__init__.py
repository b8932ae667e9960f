"""Second opinions on our verifiers: of other people, or written from a description, on the same outputs."""
