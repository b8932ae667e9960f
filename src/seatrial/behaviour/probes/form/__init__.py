"""The form of answers: instructions that a program can check, JSON, calls of tools, the language that is spoken."""
