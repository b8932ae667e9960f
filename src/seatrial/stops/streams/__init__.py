"""Streams that began with 200 and were none: the families told from traffic."""
