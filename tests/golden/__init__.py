"""The golden server: an OpenAI-compatible server that is right by construction, counts, and errs on demand."""
