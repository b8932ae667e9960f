"""The endings of a soak, each acted out on real processes: what was written stands, and the verdict says which it was.

``python -m tests.endings [NAME...]``; CI acts out those of ``tests/e2e/test_endings.py``.
"""
