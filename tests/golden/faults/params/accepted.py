"""Faults of what has to be accepted or refused, whatever it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.golden.edits import VALID, Json, failure, says, without
from tests.golden.items import Act, Piece, Reply
from tests.golden.registry import Call, Shot, chat, embedding, fault, streaming
from tests.golden.validation import FIELDS, RefusedError

LABELS = "params/labels-are-accepted"
NULL = "params/null-means-the-default"
UNKNOWN = "params/unknown-parameters-are-treated-alike"
TEXT = "params/text-format-changes-nothing"
RANGE = "params/numbers-out-of-range-are-refused"
ALONE = "params/top-logprobs-need-logprobs"
STRAY = "params/stray-stream-options-do-no-harm"
NO_NUMBER = "params/what-is-no-number-is-refused"


@fault("a-label-is-refused", caught_by=LABELS, stage="body", when=says("metadata"))
def a_label_is_refused(body: Json, shot: Shot) -> Json:
    """metadata is refused as an unknown field."""
    shot.fire()
    raise RefusedError("extra fields are not permitted: metadata", param="metadata")


@fault("labels-are-refused-together", caught_by=LABELS, stage="body", when=says("user"))
def labels_are_refused_together(body: Json, shot: Shot) -> Json:
    """user is refused where safety_identifier, its successor, stands beside it."""
    if body.get("safety_identifier") is None:
        return body
    shot.fire()
    raise RefusedError("give user or safety_identifier, not both", param="user")


def null(name: str) -> Callable[[Call], bool]:
    return lambda call: chat(call) and isinstance(call.body, dict) and call.body.get(name, "") is None


@fault("null-is-refused", caught_by=NULL, stage="body", when=null("stop"))
def null_is_refused(body: Json, shot: Shot) -> Json:
    """A null stop is refused: it is no string (notebook-intelligence issue 55, of tool_choice)."""
    shot.fire()
    raise RefusedError("stop: Input should be a valid string", param="stop")


@fault("null-n-gives-no-choice", caught_by=NULL, stage="whole", when=null("n"))
def null_n_gives_no_choice(body: Json, shot: Shot) -> Json:
    """A null n is taken for 0."""
    return {**body, "choices": []}


@fault("null-logprobs-are-given", caught_by=NULL, stage="body", when=null("logprobs"))
def null_logprobs_are_given(body: Json, shot: Shot) -> Json:
    """logprobs counts as asked for because its key is there."""
    return {**body, "logprobs": True}


def _unknown(call: Call) -> bool:
    known = {*FIELDS, "model", "messages", "input", "dimensions", "encoding_format"}
    return (chat(call) or embedding(call)) and isinstance(call.body, dict) and bool(call.body.keys() - known)


def _named(body: Json) -> str:
    return next(key for key in body if key.startswith("seatrial"))


def _is_probe(call: Call) -> bool:
    return _unknown(call) and any(key.startswith("seatrial") for key in call.body)


@fault("unknown-refused-in-streams", caught_by=UNKNOWN, stage="body",
       when=lambda call: streaming(call) and _is_probe(call))  # fmt: skip
def unknown_refused_in_streams(body: Json, shot: Shot) -> Json:
    """An unknown parameter is refused in a request for a stream, and ignored in any other."""
    shot.fire()
    raise RefusedError(f"unknown parameter: {_named(body)}")


@fault("unknown-refused-for-vectors", caught_by=UNKNOWN, stage="body",
       when=lambda call: embedding(call) and _is_probe(call))  # fmt: skip
def unknown_refused_for_vectors(body: Json, shot: Shot) -> Json:
    """An unknown parameter is refused in a request for vectors, and ignored in chats."""
    shot.fire()
    raise RefusedError(f"unknown parameter: {_named(body)}")


def _plain_format(call: Call) -> bool:
    form = call.says("response_format")
    return chat(call) and isinstance(form, dict) and form.get("type") == "text"


@fault("text-format-refused", caught_by=TEXT, stage="body", when=_plain_format)
def text_format_refused(body: Json, shot: Shot) -> Json:
    """A response_format of type text is refused: only JSON is a format."""
    shot.fire()
    raise RefusedError("response_format.type must be json_object or json_schema", param="response_format")


@fault("text-format-gives-json", caught_by=TEXT, stage="body", when=_plain_format)
def text_format_gives_json(body: Json, shot: Shot) -> Json:
    """Any response_format is taken for JSON mode."""
    return {**body, "response_format": {"type": "json_object"}}


def _beyond(name: str) -> Callable[[Call], bool]:
    """A chat with a number that is out of its range."""

    def out(call: Call) -> bool:
        value: Any = call.says(name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return chat(call) and number and not FIELDS[name][0](value)

    return out


for _name in ("temperature", "top_p", "frequency_penalty", "presence_penalty", "n", "top_logprobs"):

    @fault(f"{_name.replace('_', '-')}-out-of-range-accepted", caught_by=RANGE, stage="body", when=_beyond(_name))
    def out_of_range_accepted(body: Json, shot: Shot) -> Json:
        """A number out of its range is taken for none."""
        wrong = [name for name in FIELDS if _beyond(name)(shot.call)]
        return without(body, *wrong)


def _lone(call: Call) -> bool:
    return chat(call) and call.says("top_logprobs") is not None and not call.says("logprobs")


@fault("top-logprobs-alone-ignored", caught_by=ALONE, stage="body", when=_lone)
def top_logprobs_alone_ignored(body: Json, shot: Shot) -> Json:
    """top_logprobs without logprobs is ignored."""
    return without(body, "top_logprobs")


def _stray(call: Call) -> bool:
    return chat(call) and call.says("stream_options") is not None and not call.says("stream")


@fault("stray-stream-options-500", caught_by=STRAY, stage="reply", when=_stray)
def stray_stream_options_500(reply: Reply, shot: Shot) -> Reply:
    """stream_options without a stream give 500."""
    return failure()


def _no_number(call: Call) -> bool:
    return chat(call) and any(word in call.request.body for word in (b"NaN", b"Infinity", b"1e309"))


@fault("no-number-accepted", caught_by=NO_NUMBER, stage="body", when=_no_number)
def no_number_accepted(body: Any, shot: Shot) -> Any:
    """NaN is parsed, as Python's json does, and compares with no bound."""
    return VALID


@fault("stall-on-no-number", caught_by=NO_NUMBER, stage="wire", when=_no_number)
def stall_on_no_number(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A temperature that is no number is never answered (llama.cpp issue 19367)."""
    shot.fire()
    yield Act.STALL
