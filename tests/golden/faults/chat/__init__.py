"""Faults of chat completions: fields of answers, their ids, what is said of prompts, and which messages are read."""
