"""Probes, a folder a group, a file a probe: maker, verifier, test, source. Found by walking; no list by hand."""
