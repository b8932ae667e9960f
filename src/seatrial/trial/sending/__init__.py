"""Sending, and what keeps it honest: is the server there, did we wait for ourselves, how long is silence borne."""
