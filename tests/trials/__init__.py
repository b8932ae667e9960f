"""Trials: what once misled an operator, acted out as he would, and what must be said now.

A trial acts through the command line and the record alone, so that it can be run on any commit:
``python -m tests.trials --at COMMIT`` runs the trials of this tree on the code of that commit, and counts a trial only
where its own assertion failed, showing the wrong words.
"""
