"""What is to be refused, and is taken, fails or hangs."""

from __future__ import annotations

from collections.abc import Iterator

from tests.golden.edits import Json, failure, without
from tests.golden.faults.structured.asked import (
    bad_pattern,
    held_in,
    loosened,
    of_strange_type,
    reschemed,
    text_for_a_schema,
    unreadable,
    wrongly_held,
)
from tests.golden.items import Act, Piece, Reply
from tests.golden.registry import Shot, fault

OPEN = "structured/unenforceable-schema-is-refused"
MALFORMED = "structured/malformed-format-is-refused"
INCOMPLETE = "structured/incomplete-format-is-refused"
EXPLOSIVE = "structured/explosive-schema-is-refused-in-time"


@fault("strange-keywords-dropped", caught_by=OPEN, stage="body", when=unreadable)
def strange_keywords_dropped(body: Json, shot: Shot) -> Json:
    """Keywords that the server does not know are left out in silence (llama.cpp issue 24144)."""
    return loosened(body, "not", "uniqueItems", "multipleOf", "dependentRequired")


@fault("fails-open", caught_by=OPEN, stage="body", when=unreadable)
def fails_open(body: Json, shot: Shot) -> Json:
    """Where a schema cannot be compiled, the answer goes on unbound (llama.cpp issue 19051)."""
    return without(body, "response_format")


@fault("strange-format-ignored", caught_by=MALFORMED, stage="body", when=of_strange_type)
def strange_format_ignored(body: Json, shot: Shot) -> Json:
    """A response_format of an unknown type is taken for none."""
    return without(body, "response_format")


@fault("text-taken-for-a-schema", caught_by=MALFORMED, stage="body", when=text_for_a_schema)
def text_taken_for_a_schema(body: Json, shot: Shot) -> Json:
    """A schema that is no object is taken for one that allows anything."""
    return reschemed(body, {})


@fault("malformed-format-500", caught_by="errors/client-fault-is-never-5xx", stage="reply", when=of_strange_type)
def malformed_format_500(reply: Reply, shot: Shot) -> Reply:
    """A malformed response_format gives 500 (vLLM issue 35438)."""
    return failure()


@fault("nameless-format-taken", caught_by=INCOMPLETE, stage="body", when=wrongly_held)
def nameless_format_taken(body: Json, shot: Shot) -> Json:
    """A json_schema without a name is given one."""
    if "name" in held_in(body):
        return body
    return {**body, "response_format": {**body["response_format"], "json_schema": {**held_in(body), "name": "answer"}}}


@fault("strict-in-words-taken", caught_by=INCOMPLETE, stage="body", when=wrongly_held)
def strict_in_words_taken(body: Json, shot: Shot) -> Json:
    """A strict that is no boolean is taken for true."""
    found = held_in(body)
    if isinstance(found.get("strict"), bool | None):
        return body
    return {**body, "response_format": {**body["response_format"], "json_schema": {**found, "strict": True}}}


@fault("broken-pattern-unbound", caught_by=EXPLOSIVE, stage="body", when=bad_pattern)
def broken_pattern_unbound(body: Json, shot: Shot) -> Json:
    """A pattern that cannot be compiled unbinds the answer (llama.cpp issue 19051)."""
    return without(body, "response_format")


@fault("broken-pattern-hangs", caught_by=EXPLOSIVE, stage="wire", when=bad_pattern)
def broken_pattern_hangs(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A pattern that cannot be compiled takes the engine, and no answer comes (vLLM issue 17313)."""
    shot.fire()
    yield Act.STALL
