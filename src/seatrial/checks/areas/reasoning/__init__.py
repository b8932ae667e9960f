"""Thought: told apart from the answer, in one field, before it, within what it was allowed.

No specification has a field for it. A server that tells it in the content, or counts it and shows none of it, has
nothing that most of these rules could judge: they do not apply then.
"""
