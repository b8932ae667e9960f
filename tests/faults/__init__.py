"""The fault matrix: faults are injected, the watch is asked what happened, and both accounts are compared afterwards.

``python -m tests.faults`` runs the whole table. The detector gets a run directory and nothing else; what the injector
did, and when, is known to :mod:`tests.faults.verdict` alone, which joins the two.
"""
