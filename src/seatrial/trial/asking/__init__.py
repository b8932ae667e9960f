"""Probes asked of endpoints: what of them, in which order, and how long."""
