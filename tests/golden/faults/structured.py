"""Faults of answers bound to JSON or to a schema: ignored, half enforced, or fatal; and what is unusual and right."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.golden.answers import Answer, tokens
from tests.golden.app import wants
from tests.golden.edits import Json, each_choice, each_message, failure, with_usage, without
from tests.golden.faults.optional import with_format, with_thought, with_tools
from tests.golden.items import Act, Piece, Reply
from tests.golden.registry import Call, Shot, fault, streaming
from tests.golden.validation import RefusedError

BOUND = "structured/answer-validates"
STREAMED = "structured/streamed-answer-validates"
OBJECT = "structured/json-object-gives-an-object"
PROMPT = "structured/prompt-cannot-talk-it-out-of-the-schema"
CUT = "structured/cut-answer-says-length"
EVERYDAY = "structured/everyday-keywords-are-enforced"
JOINED = "structured/references-and-alternatives-are-enforced"
FINE = "structured/patterns-and-bounds-are-enforced"
FORMATS = "structured/formats-are-enforced"
SCRIPTS = "structured/names-and-values-of-any-script-work"
KEYS = "structured/keys-are-those-of-the-schema"
OPEN = "structured/unenforceable-schema-is-refused"
MALFORMED = "structured/malformed-format-is-refused"
INCOMPLETE = "structured/incomplete-format-is-refused"
EXPLOSIVE = "structured/explosive-schema-is-refused-in-time"
CALLS = "structured/calls-are-free-of-the-format"
THOUGHT = "structured/thought-is-free-of-the-format"
SPACE = "structured/white-space-ends"
PARSE = "structured/parse-helper-gives-the-object"

AGAINST = re.compile(r"\b(?:without|never|no) JSON\b|\bin prose\b", re.IGNORECASE)
"""A prompt that asks for anything but JSON."""


# which requests


def of_schema(call: Call) -> bool:
    form = call.says("response_format")
    return with_format(call) and form.get("type") == "json_schema"


def _plain(call: Call) -> bool:
    return of_schema(call) and not streaming(call)


def _streamed(call: Call) -> bool:
    return of_schema(call) and streaming(call)


def _any_object(call: Call) -> bool:
    return with_format(call) and call.says("response_format")["type"] == "json_object"


def _against(call: Call) -> bool:
    return of_schema(call) and bool(AGAINST.search(str(call.says("messages"))))


def _beside_tools(call: Call) -> bool:
    return with_format(call) and with_tools(call)


def _beside_thought(call: Call) -> bool:
    return with_format(call) and with_thought(call)


def _schema(body: Any) -> Any:
    form = body.get("response_format") if isinstance(body, dict) else None
    held = form.get("json_schema") if isinstance(form, dict) else None
    return held.get("schema") if isinstance(held, dict) else None


def _has(*keywords: str) -> Callable[[Call], bool]:
    """A schema that holds one of the keywords anywhere."""
    return lambda call: of_schema(call) and any(f'"{k}":' in json.dumps(_schema(call.body)) for k in keywords)


def _unreadable(call: Call) -> bool:
    """A schema that is an object, and that this server refuses."""
    return (
        of_schema(call)
        and isinstance(_schema(call.body), dict)
        and bool(wants.wrong_format(call.body["response_format"]))
    )


def _bad_pattern(call: Call) -> bool:
    return _unreadable(call) and _has("pattern")(call)


def _of_strange_type(call: Call) -> bool:
    form = call.says("response_format")
    return isinstance(form, dict) and form.get("type") not in ("text", "json_object", "json_schema")


def _text_for_a_schema(call: Call) -> bool:
    return of_schema(call) and not isinstance(_schema(call.body), dict | None)


def _wrongly_held(call: Call) -> bool:
    """A json_schema whose name, schema or strict is wrong, and not what the schema holds."""
    return of_schema(call) and bool(_held(call.body)) and bool(wants.wrong_format(call.body["response_format"]))


def _held(body: Any) -> Json:
    held = body["response_format"].get("json_schema")
    return held if isinstance(held, dict) else {}


# small changes


def _loosened(body: Json, *keywords: str) -> Json:
    """Without some keywords of the schema, wherever they stand; the same object where none was there."""

    def loose(value: Any) -> Any:
        if isinstance(value, list):
            return [loose(each) for each in value]
        return {k: loose(v) for k, v in value.items() if k not in keywords} if isinstance(value, dict) else value

    return _reschemed(body, loose(_schema(body)))


def _reschemed(body: Json, schema: Any) -> Json:
    """With another schema; the same object where it is no other."""
    if schema == _schema(body):
        return body
    return {**body, "response_format": {**body["response_format"], "json_schema": {**_held(body), "schema": schema}}}


def _said(answer: Answer, change: Callable[[Any], str], shot: Shot) -> Answer:
    """With the JSON of its content told in another way; the same object where it is no JSON, or bound by nothing."""
    if not with_format(shot.call) or answer.calls:
        return answer
    try:
        text = change(json.loads(answer.text))
    except ValueError:
        return answer
    return answer if text == answer.text else replace(answer, content=tokens(text))


def _dumped(value: Any, **settings: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **settings)


def _each_value(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {k: _each_value(v, change) for k, v in value.items()}
    return [_each_value(v, change) for v in value] if isinstance(value, list) else change(value)


def _each_key(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {change(k): _each_key(v, change) for k, v in value.items()}
    return [_each_key(v, change) for v in value] if isinstance(value, list) else value


# JSON that is none


@fault("schema-ignored", caught_by=BOUND, stage="body", when=_plain)
def schema_ignored(body: Json, shot: Shot) -> Json:
    """json_schema is accepted, and binds nothing (llama.cpp issue 24097)."""
    return without(body, "response_format")


@fault("schema-in-a-fence", caught_by=BOUND, stage="draft", when=_plain)
def schema_in_a_fence(answer: Answer, shot: Shot) -> Answer:
    """The object stands in a fence of Markdown, as models write it that are only asked for it."""
    return _said(answer, lambda value: f"```json\n{_dumped(value)}\n```", shot)


@fault("schema-after-a-preface", caught_by=BOUND, stage="draft", when=_plain)
def schema_after_a_preface(answer: Answer, shot: Shot) -> Answer:
    """Some words come before the object."""
    return _said(answer, lambda value: f"Here is the JSON: {_dumped(value)}", shot)


@fault("half-an-object-says-stop", caught_by=BOUND, stage="draft", when=_plain)
def half_an_object_says_stop(answer: Answer, shot: Shot) -> Answer:
    """The answer ends by itself in the middle of the object."""
    return replace(answer, content=answer.content[: len(answer.content) // 2])


@fault("schema-ignored-in-streams", caught_by=STREAMED, stage="body", when=_streamed)
def schema_ignored_in_streams(body: Json, shot: Shot) -> Json:
    """json_schema binds plain answers alone (llama.cpp PR 21537: whole paths of one server leave it out)."""
    return without(body, "response_format")


@fault("fence-in-streams", caught_by=STREAMED, stage="draft", when=_streamed)
def fence_in_streams(answer: Answer, shot: Shot) -> Answer:
    """The object stands in a fence of Markdown that is taken off plain answers alone."""
    return _said(answer, lambda value: f"```json\n{_dumped(value)}\n```", shot)


@fault("json-object-ignored", caught_by=OBJECT, stage="body", when=_any_object)
def json_object_ignored(body: Json, shot: Shot) -> Json:
    """json_object is accepted, and binds nothing (igllama PR 81)."""
    return without(body, "response_format")


@fault("json-object-is-a-list", caught_by=OBJECT, stage="draft", when=_any_object)
def json_object_is_a_list(answer: Answer, shot: Shot) -> Answer:
    """Where json_object is asked for, any JSON is given."""
    return _said(answer, lambda value: _dumped([value]), shot)


@fault("prompt-before-schema", caught_by=PROMPT, stage="body", when=_against)
def prompt_before_schema(body: Json, shot: Shot) -> Json:
    """The schema is only told to the model, and a prompt that asks for prose is followed."""
    return without(body, "response_format")


@fault("prose-after-the-object", caught_by=PROMPT, stage="draft", when=_against)
def prose_after_the_object(answer: Answer, shot: Shot) -> Answer:
    """The schema binds the beginning, and the prose that the prompt asks for follows."""
    return _said(answer, lambda value: f"{_dumped(value)}\n\nThe sea is wide.", shot)


@fault("cut-object-says-stop", caught_by=CUT, stage="answer", when=of_schema)
def cut_object_says_stop(answer: Answer, shot: Shot) -> Answer:
    """An object cut by its cap says that it ended by itself."""
    return replace(answer, finish="stop") if answer.finish == "length" else answer


@fault("cut-object-is-closed", caught_by=CUT, stage="answer", when=of_schema)
def cut_object_is_closed(answer: Answer, shot: Shot) -> Answer:
    """An object cut by its cap is closed by the server, which says that it ended by itself."""
    if answer.finish != "length" or not answer.content:
        return answer
    return replace(answer.then('"}'), finish="stop")


# keywords


@fault("enum-ignored", caught_by=EVERYDAY, stage="body", when=_has("enum", "const"))
def enum_ignored(body: Json, shot: Shot) -> Json:
    """enum and const bind nothing."""
    return _loosened(body, "enum", "const")


@fault("counts-of-items-ignored", caught_by=EVERYDAY, stage="body", when=_has("minItems", "maxItems"))
def counts_of_items_ignored(body: Json, shot: Shot) -> Json:
    """minItems and maxItems bind nothing."""
    return _loosened(body, "minItems", "maxItems")


@fault("numbers-as-text", caught_by=EVERYDAY, stage="draft", when=of_schema)
def numbers_as_text(answer: Answer, shot: Shot) -> Answer:
    """Numbers stand in quotes."""
    return _said(answer, lambda v: _dumped(_each_value(v, lambda n: str(n) if type(n) in (int, float) else n)), shot)


@fault("references-ignored", caught_by=JOINED, stage="body", when=_has("$ref"))
def references_ignored(body: Json, shot: Shot) -> Json:
    """What $ref leads to binds nothing."""
    return _loosened(body, "$ref")


@fault("alternatives-ignored", caught_by=JOINED, stage="body", when=_has("anyOf"))
def alternatives_ignored(body: Json, shot: Shot) -> Json:
    """What anyOf allows binds nothing."""
    return _loosened(body, "anyOf")


@fault("deep-objects-as-text", caught_by=JOINED, stage="draft", when=of_schema)
def deep_objects_as_text(answer: Answer, shot: Shot) -> Answer:
    """Objects below the second level are texts: what recurs is unrolled so far and no further."""

    def told(value: Any, depth: int = 0) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: told(v, depth + 1) for k, v in value.items()} if depth < 2 else _dumped(value)

    return _said(answer, lambda value: _dumped(told(value)), shot)


@fault("pattern-ignored", caught_by=FINE, stage="body", when=_has("pattern"))
def pattern_ignored(body: Json, shot: Shot) -> Json:
    """pattern binds nothing (Ollama issue 8185)."""
    return _loosened(body, "pattern")


@fault("bounds-ignored", caught_by=FINE, stage="body", when=_has("minimum", "maximum"))
def bounds_ignored(body: Json, shot: Shot) -> Json:
    """minimum and maximum bind nothing."""
    return _loosened(body, "minimum", "maximum")


@fault("lengths-ignored", caught_by=FINE, stage="body", when=_has("minLength", "maxLength"))
def lengths_ignored(body: Json, shot: Shot) -> Json:
    """minLength and maxLength bind nothing (vLLM issue 45592: beside a pattern)."""
    return _loosened(body, "minLength", "maxLength")


@fault("format-keyword-ignored", caught_by=FORMATS, stage="body", when=_has("format"))
def format_keyword_ignored(body: Json, shot: Shot) -> Json:
    """format binds nothing."""
    return _loosened(body, "format")


@fault("keys-in-ascii", caught_by=SCRIPTS, stage="draft", when=of_schema)
def keys_in_ascii(answer: Answer, shot: Shot) -> Answer:
    """Names of keys lose what is not ASCII."""
    return _said(answer, lambda v: _dumped(_each_key(v, lambda k: k.encode("ascii", "ignore").decode())), shot)


@fault("escaped-twice", caught_by=SCRIPTS, stage="draft", when=of_schema)
def escaped_twice(answer: Answer, shot: Shot) -> Answer:
    """Texts that are not plain are escaped twice."""

    def twice(value: Any) -> Any:
        return json.dumps(value)[1:-1] if isinstance(value, str) else value

    return _said(answer, lambda value: _dumped(_each_value(value, twice)), shot)


@fault("a-key-too-few", caught_by=KEYS, stage="draft", when=of_schema)
def a_key_too_few(answer: Answer, shot: Shot) -> Answer:
    """The last of the required keys is left out."""
    return _said(answer, lambda value: _dumped(dict(list(value.items())[:-1])), shot)


@fault("a-key-too-many", caught_by=KEYS, stage="draft", when=of_schema)
def a_key_too_many(answer: Answer, shot: Shot) -> Answer:
    """A key is added that no property has."""
    return _said(answer, lambda value: _dumped({**value, "note": "as asked"}), shot)


# what is to be refused


@fault("strange-keywords-dropped", caught_by=OPEN, stage="body", when=_unreadable)
def strange_keywords_dropped(body: Json, shot: Shot) -> Json:
    """Keywords that the server does not know are left out in silence (llama.cpp issue 24144)."""
    return _loosened(body, "not", "uniqueItems", "multipleOf", "dependentRequired")


@fault("fails-open", caught_by=OPEN, stage="body", when=_unreadable)
def fails_open(body: Json, shot: Shot) -> Json:
    """Where a schema cannot be compiled, the answer goes on unbound (llama.cpp issue 19051)."""
    return without(body, "response_format")


@fault("strange-format-ignored", caught_by=MALFORMED, stage="body", when=_of_strange_type)
def strange_format_ignored(body: Json, shot: Shot) -> Json:
    """A response_format of an unknown type is taken for none."""
    return without(body, "response_format")


@fault("text-taken-for-a-schema", caught_by=MALFORMED, stage="body", when=_text_for_a_schema)
def text_taken_for_a_schema(body: Json, shot: Shot) -> Json:
    """A schema that is no object is taken for one that allows anything."""
    return _reschemed(body, {})


@fault("malformed-format-500", caught_by="errors/client-fault-is-never-5xx", stage="reply", when=_of_strange_type)
def malformed_format_500(reply: Reply, shot: Shot) -> Reply:
    """A malformed response_format gives 500 (vLLM issue 35438)."""
    return failure()


@fault("nameless-format-taken", caught_by=INCOMPLETE, stage="body", when=_wrongly_held)
def nameless_format_taken(body: Json, shot: Shot) -> Json:
    """A json_schema without a name is given one."""
    if "name" in _held(body):
        return body
    return {**body, "response_format": {**body["response_format"], "json_schema": {**_held(body), "name": "answer"}}}


@fault("strict-in-words-taken", caught_by=INCOMPLETE, stage="body", when=_wrongly_held)
def strict_in_words_taken(body: Json, shot: Shot) -> Json:
    """A strict that is no boolean is taken for true."""
    held = _held(body)
    if isinstance(held.get("strict"), bool | None):
        return body
    return {**body, "response_format": {**body["response_format"], "json_schema": {**held, "strict": True}}}


@fault("broken-pattern-unbound", caught_by=EXPLOSIVE, stage="body", when=_bad_pattern)
def broken_pattern_unbound(body: Json, shot: Shot) -> Json:
    """A pattern that cannot be compiled unbinds the answer (llama.cpp issue 19051)."""
    return without(body, "response_format")


@fault("broken-pattern-hangs", caught_by=EXPLOSIVE, stage="wire", when=_bad_pattern)
def broken_pattern_hangs(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A pattern that cannot be compiled takes the engine, and no answer comes (vLLM issue 17313)."""
    shot.fire()
    yield Act.STALL


# what stands beside a format


@fault("format-lost-beside-tools", caught_by=CALLS, stage="body", when=_beside_tools)
def format_lost_beside_tools(body: Json, shot: Shot) -> Json:
    """Where tools are offered, response_format binds nothing (modelship PR 70)."""
    return without(body, "response_format")


@fault("format-in-place-of-the-call", caught_by=CALLS, stage="body", when=_beside_tools)
def format_in_place_of_the_call(body: Json, shot: Shot) -> Json:
    """Where a format is asked for, no tool is called (Ollama issue 11037)."""
    return without(body, "tools", "tool_choice")


@fault("format-stops-thought", caught_by=THOUGHT, stage="body", when=_beside_thought)
def format_stops_thought(body: Json, shot: Shot) -> Json:
    """Where a format is asked for, the model does not think (vLLM issue 47027)."""
    return {**without(body, "chat_template_kwargs"), "reasoning_effort": "none"}


@fault("thought-bound-by-the-format", caught_by=THOUGHT, stage="draft", when=_beside_thought)
def thought_bound_by_the_format(answer: Answer, shot: Shot) -> Answer:
    """The format binds the thought (vLLM issue 50948)."""
    return replace(answer, reasoning=answer.content) if answer.reasoning else answer


@fault("white-space-without-end", caught_by=SPACE, stage="draft", when=with_format)
def white_space_without_end(answer: Answer, shot: Shot) -> Answer:
    """After the opening brace white space goes on and on (vLLM issue 13260)."""
    return _said(answer, lambda value: "{" + "\n" * 400 + _dumped(value)[1:], shot)


@fault("white-space-cut-off", caught_by=SPACE, stage="whole", when=with_format)
def white_space_cut_off(body: Json, shot: Shot) -> Json:
    """White space goes on after the object up to the cap, and is not shown (measured of llama.cpp)."""
    size = len(body["choices"][0]["message"]["content"] or "")
    wasted = each_choice(body, lambda choice: {**choice, "finish_reason": "length"})
    return with_usage(wasted, completion_tokens=lambda n: n + size, total_tokens=lambda n: n + size)


@fault("refusal-beside-the-object", caught_by=PARSE, stage="whole", when=of_schema)
def refusal_beside_the_object(body: Json, shot: Shot) -> Json:
    """A refusal in words stands beside an answer that is none, where null has to stand."""
    return each_message(body, lambda message: {**message, "refusal": "none"})


# unusual and right, and refused honestly


@fault(
    "json-laid-out",
    stage="draft",
    when=with_format,
    family="legal",
    of="JSON of answers",
    source="RFC 8259 2: insignificant white space",
)
def json_laid_out(answer: Answer, shot: Shot) -> Answer:
    """The JSON is laid out over lines, and white space stands around it."""
    return _said(answer, lambda value: f"\n {_dumped(value, indent=4)}\n", shot)


@fault(
    "json-closely-set",
    stage="draft",
    when=with_format,
    family="legal",
    of="JSON of answers",
    source="RFC 8259 2 and 7: no white space is needed, any character may be escaped",
)
def json_closely_set(answer: Answer, shot: Shot) -> Answer:
    """The JSON has no white space at all, and escapes what is not ASCII."""
    return _said(answer, lambda value: json.dumps(value, separators=(",", ":")), shot)


@fault(
    "keys-in-reverse",
    stage="draft",
    when=with_format,
    family="legal",
    of="keys of answers",
    source="RFC 8259 4: an object is unordered",
)
def keys_in_reverse(answer: Answer, shot: Shot) -> Answer:
    """Keys come in another order than the schema's."""
    return _said(answer, lambda value: _dumped(dict(reversed(value.items()))), shot)


@fault("refuses-json-object", stage="body", when=_any_object, family="honest")
def refuses_json_object(body: Json, shot: Shot) -> Json:
    """json_object is refused with a 400, and json_schema is not (LM Studio)."""
    shot.fire()
    raise RefusedError("'response_format.type' must be 'json_schema' or 'text'", param="response_format")


@fault("refuses-patterns", stage="body", when=_has("pattern", "format", "minLength", "minimum"), family="honest")
def refuses_patterns(body: Json, shot: Shot) -> Json:
    """Schemas with patterns, formats, lengths or bounds are refused with a 400."""
    shot.fire()
    raise RefusedError("the schema contains features that are not supported", param="response_format")


@fault("refuses-formats-with-tools", stage="body", when=_beside_tools, family="honest")
def refuses_formats_with_tools(body: Json, shot: Shot) -> Json:
    """A format beside tools is refused with a 400 (Groq)."""
    shot.fire()
    raise RefusedError("json mode cannot be combined with tool/function calling", param="response_format")
