"""Trials of verdicts, a module a letter: one cause one reason, READY earned, no key anywhere, no record misread."""
