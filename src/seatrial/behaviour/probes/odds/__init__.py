"""The odds that a model gives its next token: whether they are odds, and whether they stay."""
