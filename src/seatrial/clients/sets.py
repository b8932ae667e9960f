"""Sets of tools that clients offer, one file each: ``NAME.tools.json``, with its sources and its date."""

from __future__ import annotations

from importlib import resources

ENDING = ".tools.json"


def sets() -> dict[str, bytes]:
    """What each file holds, by the client's name."""
    files = sorted(resources.files(__package__).iterdir(), key=lambda file: file.name)
    return {file.name.removesuffix(ENDING): file.read_bytes() for file in files if file.name.endswith(ENDING)}
