"""Faults of what a server claims of itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.golden.edits import get
from tests.golden.items import Reply
from tests.golden.registry import Call, Shot, fault
from tests.golden.validation import RefusedError

PROPS = get("/props")


def _claims(reply: Reply, at: str, **changes: Any) -> Reply:
    return replace(reply, payload={**reply.payload, at: {**reply.payload[at], **changes}})


@fault("tools-denied", caught_by="claims/tools-are-as-claimed", stage="reply", when=PROPS)
def tools_denied(reply: Reply, shot: Shot) -> Reply:
    """Tools are called, and the page says that the template has none."""
    return _claims(reply, "chat_template_caps", supports_tool_calls=False)


@fault("images-claimed", caught_by="claims/images-are-as-claimed", stage="reply", when=PROPS)
def images_claimed(reply: Reply, shot: Shot) -> Reply:
    """The page says that images are seen: those who look for the projector look beside the model, where it lies."""
    return _claims(reply, "modalities", vision=True)


@fault("thought-denied", caught_by="claims/thought-is-as-claimed", stage="reply", when=PROPS)
def thought_denied(reply: Reply, shot: Shot) -> Reply:
    """The page denies what each request for effort shows."""
    return _claims(reply, "chat_template_caps", supports_reasoning_effort=False)


@fault("context-of-all-slots", caught_by="claims/context-is-claimed-alike", stage="reply", when=PROPS)
def context_of_all_slots(reply: Reply, shot: Shot) -> Reply:
    """The page tells the context of all slots together as that of one, as of one pool (llama.cpp 23652)."""
    settings = reply.payload["default_generation_settings"]
    return _claims(reply, "default_generation_settings", n_ctx=settings["n_ctx"] * reply.payload["total_slots"])


def _told(call: Call) -> bool:
    return isinstance(call.says("messages"), list)


@fault("parts-claimed", caught_by="claims/parts-are-as-claimed", stage="body", when=_told)
def parts_claimed(body: Any, shot: Shot) -> Any:
    """Content in parts is refused, and the page says that it is read."""
    contents = [message.get("content") for message in body["messages"] if isinstance(message, dict)]
    if not any(isinstance(content, list) for content in contents):
        return body
    shot.fire()
    raise RefusedError("content must be a string", param="messages")
