"""Faults of which messages are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Never

from tests.golden.edits import Json, failure
from tests.golden.faults.optional import with_tools
from tests.golden.registry import Call, Shot, chat, fault, freedom
from tests.golden.validation import InsteadError

ROLES = "chat/messages-of-each-role-are-read"
DEVELOPER = "chat/developer-message-is-read"
TOOL = "chat/tool-message-is-accepted"
NO_CONTENT = "chat/call-needs-no-content"
MIDST = "chat/system-message-is-read-anywhere"
ROWS = "chat/turns-of-one-role-are-answered-or-refused"
FIELDS = "chat/fields-of-messages-are-tolerated"
NULLS = "chat/nulls-of-a-turn-are-taken"
NO_CALLS = "chat/empty-list-of-calls-is-none"
TEXT_PARTS = "chat/text-parts-are-the-joined-text"


def _without(body: Json, role: str) -> Json:
    """A body without the messages of a role, where others are left."""
    kept = [m for m in body.get("messages") or [] if not isinstance(m, dict) or m.get("role") != role]
    return {**body, "messages": kept} if kept and len(kept) < len(body["messages"]) else body


def _roles(call: Call) -> list[str]:
    messages = call.says("messages")
    return [str(m.get("role")) for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []


def _refuse(shot: Shot, message: str, status: int = 400) -> Never:
    shot.fire()
    raise InsteadError(failure(status, message))


@fault("system-is-dropped", caught_by=ROLES, stage="body", when=lambda c: chat(c) and "system" in _roles(c))
def system_is_dropped(body: Json, shot: Shot) -> Json:
    """A template without a turn of the system passes over it."""
    return _without(body, "system")


@fault("system-is-dropped-beside-tools", caught_by=ROLES, stage="body", when=with_tools)
def system_is_dropped_beside_tools(body: Json, shot: Shot) -> Json:
    """Where tools are offered a template passes over the system (ollama-js issue 220, Open WebUI issue 28018)."""
    return _without(body, "system")


def _in_a_row(body: Json, role: str) -> list[int]:
    """The places of messages that follow one of the same role."""
    said = body.get("messages") if isinstance(body, dict) else None
    roles = [m.get("role") if isinstance(m, dict) else None for m in said] if isinstance(said, list) else []
    return [n for n, (one, other) in enumerate(pairwise(roles), 1) if one == other == role]


def _but(body: Json, places: list[int]) -> Json:
    """A body without the messages at these places."""
    return {**body, "messages": [m for n, m in enumerate(body["messages"]) if n not in places]} if places else body


@fault("second-user-is-dropped", caught_by=ROWS, stage="body", when=chat)
def second_user_is_dropped(body: Json, shot: Shot) -> Json:
    """Of two turns of the user in a row the template writes the first alone."""
    return _but(body, _in_a_row(body, "user"))


@fault("second-assistant-is-dropped", caught_by=ROWS, stage="body", when=chat)
def second_assistant_is_dropped(body: Json, shot: Shot) -> Json:
    """Of two turns of the assistant in a row the first is lost."""
    return _but(body, [n - 1 for n in _in_a_row(body, "assistant")])


@fault("assistant-at-the-end-is-dropped", caught_by=ROWS, stage="body", when=chat)
def assistant_at_the_end_is_dropped(body: Json, shot: Shot) -> Json:
    """An answer that was begun for the model is passed over."""
    said = body.get("messages") if isinstance(body, dict) else None
    last = said[-1] if isinstance(said, list) and len(said) > 1 else None
    begun = isinstance(last, dict) and last.get("role") == "assistant"
    return _but(body, [len(body["messages"]) - 1]) if begun else body


@fault("second-system-is-dropped", caught_by=MIDST, stage="body", when=chat)
def second_system_is_dropped(body: Json, shot: Shot) -> Json:
    """Of two messages of the system in a row the template writes the first alone."""
    return _but(body, _in_a_row(body, "system"))


@freedom(
    "turns-of-one-role-are-joined",
    stage="body",
    when=chat,
    of="turns in a row",
    source="templates that want turns to alternate: those of one role are joined; Mistral",
)
def turns_of_one_role_are_joined(body: Json, shot: Shot) -> Json:
    """Turns of one role in a row become one turn of all their words."""
    said = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(said, list) or not all(isinstance(m, dict) and isinstance(m.get("content"), str) for m in said):
        return body
    kept: list[Json] = []
    for message in said:
        if kept and kept[-1].get("role") == message.get("role") and set(message) == {"role", "content"}:
            kept[-1] = {**kept[-1], "content": f"{kept[-1]['content']}\n\n{message['content']}"}
        else:
            kept.append(message)
    return {**body, "messages": kept} if len(kept) < len(said) else body


@fault("assistant-is-refused", caught_by=ROLES, stage="body", when=lambda c: chat(c) and "assistant" in _roles(c))
def assistant_is_refused(body: Json, shot: Shot) -> Json:
    """A conversation with an earlier answer is refused."""
    _refuse(shot, "Only user messages are supported")


@fault("developer-is-refused", caught_by=DEVELOPER, stage="body", when=lambda c: chat(c) and "developer" in _roles(c))
def developer_is_refused(body: Json, shot: Shot) -> Json:
    """A message of a developer is refused: Unexpected message role (llama.cpp issue 20733)."""
    _refuse(shot, "Unexpected message role.")


@fault("tool-message-refused", caught_by=TOOL, stage="body", when=lambda c: chat(c) and "tool" in _roles(c))
def tool_message_refused(body: Json, shot: Shot) -> Json:
    """The message of a tool is refused."""
    _refuse(shot, "messages: role must be system, user or assistant")


@fault("tool-message-500", caught_by=TOOL, stage="body", when=lambda c: chat(c) and "tool" in _roles(c))
def tool_message_500(body: Json, shot: Shot) -> Json:
    """The message of a tool makes the template fall over."""
    _refuse(shot, "'tool' is undefined", 500)


def _contentless(key: bool) -> Callable[[Call], bool]:
    """Chats with an assistant's turn whose content is null (``key``), or not there."""

    def when(call: Call) -> bool:
        said = call.says("messages") if chat(call) else None
        turns = [m for m in said if isinstance(m, dict) and m.get("tool_calls")] if isinstance(said, list) else []
        return any(m.get("content") is None and ("content" in m) is key for m in turns)

    return when


@fault("call-needs-a-content", caught_by=NO_CONTENT, stage="body", when=_contentless(False))
def call_needs_a_content(body: Json, shot: Shot) -> Json:
    """An assistant's turn of calls without content is refused (langchain4j issue 1958)."""
    _refuse(shot, "messages[1].content is missing")


@fault("call-needs-a-text", caught_by=NO_CONTENT, stage="body", when=_contentless(True))
def call_needs_a_text(body: Json, shot: Shot) -> Json:
    """An assistant's turn of calls whose content is null gives 500: it is measured."""
    _refuse(shot, "object of type 'NoneType' has no len()", 500)


@fault("late-system-refused", caught_by=MIDST, stage="body", when=lambda c: chat(c) and "system" in _roles(c)[1:])
def late_system_refused(body: Json, shot: Shot) -> Json:
    """A system message that is not the first is refused (llama.cpp issue 20733)."""
    _refuse(shot, "System message must be at the beginning.")


def _alike(call: Call) -> bool:
    roles = _roles(call)
    return chat(call) and any(role == after == "user" for role, after in pairwise(roles))


@fault("turns-must-alternate-500", caught_by=ROWS, stage="body", when=_alike)
def turns_must_alternate_500(body: Json, shot: Shot) -> Json:
    """Two turns of a user in a row give 500: the template raises."""
    _refuse(shot, "Conversation roles must alternate user/assistant", 500)


@fault("extra-keys-are-forbidden", caught_by=FIELDS, stage="body", when=chat)
def extra_keys_are_forbidden(body: Json, shot: Shot) -> Json:
    """A message with a field that nobody knows is refused: extra_forbidden."""
    said = body.get("messages") if isinstance(body, dict) else None
    if isinstance(said, list) and any(isinstance(m, dict) and "seatrial_note" in m for m in said):
        _refuse(shot, "Extra inputs are not permitted", 422)
    return body


def _in_parts(body: Json, change: Callable[[list[Any]], Any]) -> Json:
    """A body with the content of messages in parts changed."""
    said = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(said, list) or not any(map(_parted, said)):
        return body
    return {**body, "messages": [{**m, "content": change(m["content"])} if _parted(m) else m for m in said]}


def _parted(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") == "user" and isinstance(message.get("content"), list)


@fault("first-part-alone", caught_by=TEXT_PARTS, stage="body", when=chat)
def first_part_alone(body: Json, shot: Shot) -> Json:
    """Of a text in parts the first is read."""
    return _in_parts(body, lambda parts: parts[:1])


@fault("parts-as-json", caught_by=TEXT_PARTS, stage="body", when=chat)
def parts_as_json(body: Json, shot: Shot) -> Json:
    """Text in parts is put into the prompt as JSON."""
    return _in_parts(body, json.dumps)


def _turns(call: Call) -> list[Json]:
    """The turns of an assistant in a request."""
    said = call.says("messages")
    return [m for m in said if isinstance(m, dict) and m.get("role") == "assistant"] if isinstance(said, list) else []


def _without_calls(call: Call) -> bool:
    """A chat in which a turn has an empty list of calls."""
    return chat(call) and any(turn.get("tool_calls") == [] for turn in _turns(call))


def _with_nulls(call: Call) -> bool:
    """A chat in which a turn says of something that it is null, beside its content."""
    return chat(call) and any(None in [v for key, v in turn.items() if key != "content"] for turn in _turns(call))


@fault("empty-calls-refused", caught_by=NO_CALLS, stage="body", when=_without_calls)
def empty_calls_refused(body: Json, shot: Shot) -> Never:
    """An empty list of calls is refused (DeepSeek, OpenAI's API: hermes-agent pull request 59110)."""
    _refuse(shot, "Invalid 'messages[1].tool_calls': empty array. Expected an array with minimum length 1.")


@fault("empty-calls-crash", caught_by=NO_CALLS, stage="body", when=_without_calls)
def empty_calls_crash(body: Json, shot: Shot) -> Never:
    """The template looks at the first of the calls where there is a list, and there is none."""
    _refuse(shot, "list object has no element 0", 500)


@fault("nulls-of-a-turn-refused", caught_by=NULLS, stage="body", when=_with_nulls)
def nulls_of_a_turn_refused(body: Json, shot: Shot) -> Never:
    """Optional fields of a turn may be left out, and may not be null (pydantic: value is not a valid dict)."""
    _refuse(shot, "messages.1.function_call: Input should be a valid dictionary", 422)


@fault("nulls-of-a-turn-crash", caught_by=NULLS, stage="body", when=_with_nulls)
def nulls_of_a_turn_crash(body: Json, shot: Shot) -> Never:
    """A turn that has the key is taken for one with a call of old, whose name is read."""
    _refuse(shot, "'NoneType' object is not subscriptable", 500)
