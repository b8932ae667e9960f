"""The operator's own tests: the rule that takes their word, and the rules that read what they have sent."""
