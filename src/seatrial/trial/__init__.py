"""A trial from its plan to its verdict, without pytest: who answers, what is sent and loaded, what came of it."""
