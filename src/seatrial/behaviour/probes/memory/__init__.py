"""What is remembered: the start of a long prompt, what an earlier turn said, what stands somewhere in a text."""
