"""Intervals and percentiles, each with its formula and source. Pure."""
