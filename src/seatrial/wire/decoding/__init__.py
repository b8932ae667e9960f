"""Bytes to answers, without I/O: framing, inflation, event streams, and the assembly of an exchange."""
