"""What the golden server adds to an answer where it is asked for: sound, sources, results of a moderation."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

SILENCE = base64.b64encode(b"RIFF\x24\x00\x00\x00WAVEfmt ").decode()
HOUR_S = 3600


def of_message(body: Mapping[str, Any], text: str, created: int) -> dict[str, Any]:
    """Further fields of a message."""
    told: dict[str, Any] = {}
    if "audio" in (body.get("modalities") or ()):
        told["audio"] = {"id": "audio_1", "data": SILENCE, "expires_at": created + HOUR_S, "transcript": text}
    if body.get("web_search_options") is not None:
        cited = {"start_index": 0, "end_index": len(text), "url": "https://example.org/", "title": "Example"}
        told["annotations"] = [{"type": "url_citation", "url_citation": cited}]
    return told


def of_answer(body: Mapping[str, Any]) -> dict[str, Any]:
    """Further fields of an answer."""
    given = body.get("moderation")
    if given is None:
        return {}
    fine = {"model": given.get("model"), "results": [{"flagged": False, "categories": {}}]}
    return {"moderation": {"input": fine, "output": fine}}
