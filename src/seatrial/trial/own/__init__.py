"""The operator's own tests: what they send is recorded as all that a run sends, and read by the rules too."""
