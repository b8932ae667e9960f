"""Chat completions: what every answer holds, which messages are read, and messages that get no answer."""
