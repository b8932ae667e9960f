"""Answers bound to JSON or to a schema: what was asked for is enforced, or refused; never accepted and ignored."""
