"""Seatrial: puts a self-hosted, OpenAI-compatible LLM server on trial before production is cut over to it."""

__version__ = "0.1.0"
