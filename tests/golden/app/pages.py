"""What the golden server tells of itself."""

from __future__ import annotations

from typing import Any

from tests.golden.chat import CONTEXT, SLOTS
from tests.golden.http1 import Request
from tests.golden.validation import MODEL

CREATED = 1_760_000_000


def model() -> dict[str, Any]:
    """In the shape of OpenAI's; how many tokens a request may have, as vLLM tells it; its state, as a router does."""
    told = {"id": MODEL, "object": "model", "created": CREATED, "owned_by": "seatrial"}
    return {**told, "max_model_len": CONTEXT, "status": {"value": "loaded"}}


def props() -> dict[str, Any]:
    return {
        "default_generation_settings": {"n_ctx": CONTEXT},
        "total_slots": SLOTS,
        "model_path": f"/models/{MODEL}",
        "chat_template": "golden",
        "chat_template_caps": {
            "supports_tool_calls": True,
            "supports_typed_content": True,
            "supports_reasoning_effort": True,
        },
        "modalities": {"vision": False, "audio": False},
        "build_info": "golden-1",
    }


def cors(request: Request) -> tuple[tuple[str, str], ...]:
    return (
        ("Access-Control-Allow-Origin", request.headers.get("origin", "*")[:200]),
        ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
        ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
    )
