"""What is known and reckoned: riddles that were altered, and fresh numbers."""
