"""Faults in what becomes of an image, and a server that sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.golden.answers import Answer, tokens
from tests.golden.edits import Json, failure, get
from tests.golden.items import Reply
from tests.golden.registry import Call, Shot, chat, fault, freedom
from tests.golden.validation import InsteadError

SEEN = "multimodal/image-is-seen-or-refused"
LOOK = {"type": "text", "text": " ".join(["patch"] * 16)}
"""What a model that sees images has of one in its prompt."""


def _is_image(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "image_url"


def with_image(call: Call) -> bool:
    """A chat that holds an image."""
    said = call.says("messages") if chat(call) else None
    contents = [m.get("content") for m in said if isinstance(m, dict)] if isinstance(said, list) else []
    return any(isinstance(content, list) and any(map(_is_image, content)) for content in contents)


def _parts(body: Json, change: Callable[[list[Any]], list[Any]]) -> Json:
    """With the parts of each message in parts changed."""
    said = [{**m, "content": change(m["content"])} if isinstance(m["content"], list) else m for m in body["messages"]]
    return {**body, "messages": said}


@fault("image-passed-over", caught_by=SEEN, stage="body", when=with_image)
def image_passed_over(body: Json, shot: Shot) -> Json:
    """Of the parts of a message the texts are read, and an image is passed over without a word (TGI issue 2565)."""
    return _parts(body, lambda parts: [part for part in parts if not _is_image(part)])


@fault("image-gives-500", caught_by=SEEN, stage="body", when=with_image)
def image_gives_500(body: Json, shot: Shot) -> Json:
    """An image for a model without a projector gives 500 (llama.cpp: image input is not supported)."""
    shot.fire()
    raise InsteadError(failure(500, "image input is not supported - hint: you may need to provide the mmproj"))


@freedom(
    "images-are-seen",
    stage=("body", "reply"),
    when=lambda call: with_image(call) or get("/props")(call),
    of="images",
    source="OpenAPI document, ChatCompletionRequestMessageContentPartImage; llama.cpp /props: modalities.vision",
)
def images_are_seen(value: Any, shot: Shot) -> Any:
    """The model sees images: each has its tokens in the prompt, and the page of the server's properties says so."""
    if isinstance(value, Reply):
        return _as_it_says(value, shot)
    return _parts(value, lambda parts: [LOOK if _is_image(part) else part for part in parts])


def _as_it_says(reply: Reply, shot: Shot) -> Reply:
    """The page of its properties, of a model that sees."""
    if reply.status != 200 or shot.call.path != "/props":
        return reply
    return replace(reply, payload={**reply.payload, "modalities": {"vision": True, "audio": False}})


@freedom(
    "images-are-seen-and-not-counted",
    stage=("body", "draft", "reply"),
    when=lambda call: with_image(call) or get("/props")(call),
    of="images",
    source="OpenAPI document, CompletionUsage.prompt_tokens: tokens in the prompt; of images nothing is said",
)
def images_are_seen_and_not_counted(value: Any, shot: Shot) -> Any:
    """The model sees images, and no tokens are counted for them: the answer shows what it saw."""
    if isinstance(value, Reply):
        return _as_it_says(value, shot)
    if isinstance(value, Answer):
        return replace(value, content=tokens(f"The picture is all red. {value.text}"))
    return _parts(value, lambda parts: [part for part in parts if not _is_image(part)])
