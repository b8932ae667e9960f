"""Seeded probe generators and their verifiers: pure."""
