"""Trials of the watch, a module a letter: what it missed, what it called dead, what it cost, what it said."""
