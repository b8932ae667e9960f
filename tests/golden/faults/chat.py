"""Faults in the fields of chat answers."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any, Never

from seatrial.reading import markers
from tests.golden import edits
from tests.golden.answers import Answer, tokens
from tests.golden.edits import VALID, Json, each_choice, each_message, failure, with_usage, without
from tests.golden.items import Reply
from tests.golden.registry import Call, Shot, chat, fault
from tests.golden.validation import InsteadError

SCHEMA = "schema/answer-validates"
CHOICES = "chat/choices-are-indexed-and-from-the-assistant"
SECONDS = "chat/created-is-in-seconds"
TIME = "chat/created-is-the-time-of-the-answer"
FINISH = "chat/finish-reason-is-known"
USAGE = "chat/usage-adds-up"
CAP = "chat/completion-tokens-keep-the-cap"
CONTENT = "chat/content-is-string-or-null"
EMPTY = "chat/empty-messages-are-refused"
BAD = "chat/bad-messages-are-refused"
IDS = "chat/ids-are-unique"
OBJECT = "chat/object-names-a-completion"
PROMPT = "chat/prompt-tokens-are-those-of-the-prompt"
MARKED = "chat/markers-in-a-text-change-no-roles"
LEAK = "chat/content-holds-no-marker"
ROLES = "chat/messages-of-each-role-are-read"
DEVELOPER = "chat/developer-message-is-read"
TOOL = "chat/tool-message-is-accepted"
NO_CONTENT = "chat/call-needs-no-content"
MIDST = "chat/system-message-is-read-anywhere"
ROWS = "chat/turns-of-one-role-are-answered-or-refused"
FIELDS = "chat/fields-of-messages-are-tolerated"
TEXT_PARTS = "chat/text-parts-are-the-joined-text"


@fault("answer-without-id", caught_by=SCHEMA, stage="whole")
def answer_without_id(body: Json, shot: Shot) -> Json:
    """The answer has no id."""
    return without(body, "id")


@fault("answer-created-a-string", caught_by=SCHEMA, stage="whole")
def answer_created_a_string(body: Json, shot: Shot) -> Json:
    """created is a string."""
    return {**body, "created": str(body["created"])}


@fault("created-in-milliseconds", caught_by=SECONDS, stage=("whole", "chunk"))
def created_in_milliseconds(body: Json, shot: Shot) -> Json:
    """created is a time in milliseconds."""
    return {**body, "created": body["created"] * 1000}


@fault("created-zero", caught_by=SECONDS, stage=("whole", "chunk"))
def created_zero(body: Json, shot: Shot) -> Json:
    """created is 0."""
    return {**body, "created": 0}


@fault("created-since-the-start", caught_by=SECONDS, stage=("whole", "chunk"))
def created_since_the_start(body: Json, shot: Shot) -> Json:
    """created is seconds and a fraction since the server began."""
    return {**body, "created": 12.5}


@fault("created-an-hour-ago", caught_by=TIME, stage=("whole", "chunk"))
def created_an_hour_ago(body: Json, shot: Shot) -> Json:
    """created is an hour before the answer's own Date: the time the server was started, or another zone's."""
    return {**body, "created": body["created"] - 3600}


@fault("answer-object-wrong", caught_by=SCHEMA, stage="whole")
def answer_object_wrong(body: Json, shot: Shot) -> Json:
    """object is that of the older completions API."""
    return {**body, "object": "text_completion"}


@fault("answer-without-choices", caught_by=SCHEMA, stage="whole")
def answer_without_choices(body: Json, shot: Shot) -> Json:
    """The answer has no choices."""
    return without(body, "choices")


@fault("answer-without-message", caught_by=SCHEMA, stage="whole")
def answer_without_message(body: Json, shot: Shot) -> Json:
    """A choice holds text in place of a message."""
    return each_choice(body, lambda c: {**without(c, "message"), "text": c["message"]["content"]})


@fault("choice-index-from-one", caught_by=CHOICES, stage="whole")
def choice_index_from_one(body: Json, shot: Shot) -> Json:
    """Choices are counted from 1."""
    return each_choice(body, lambda c: {**c, "index": c["index"] + 1})


@fault("choice-indices-equal", caught_by=CHOICES, stage="whole", when=edits.several)
def choice_indices_equal(body: Json, shot: Shot) -> Json:
    """All choices have index 0."""
    return each_choice(body, lambda c: {**c, "index": 0})


@fault("choice-from-the-user", caught_by=CHOICES, stage="whole")
def choice_from_the_user(body: Json, shot: Shot) -> Json:
    """The message's role is user."""
    return each_message(body, lambda m: {**m, "role": "user"})


@fault("choice-without-role", caught_by=CHOICES, stage="whole")
def choice_without_role(body: Json, shot: Shot) -> Json:
    """The message has no role."""
    return each_message(body, lambda m: without(m, "role"))


@fault("finish-reason-eos", caught_by=FINISH, stage=("whole", "chunk"))
def finish_reason_eos(body: Json, shot: Shot) -> Json:
    """An engine's own word leaks as finish_reason."""
    return each_choice(body, lambda c: {**c, "finish_reason": "eos"} if c["finish_reason"] else c)


@fault("finish-reason-null", caught_by=FINISH, stage="whole")
def finish_reason_null(body: Json, shot: Shot) -> Json:
    """finish_reason is null on a complete answer."""
    return each_choice(body, lambda c: {**c, "finish_reason": None})


@fault("finish-reason-missing", caught_by=FINISH, stage="whole")
def finish_reason_missing(body: Json, shot: Shot) -> Json:
    """A choice has no finish_reason."""
    return each_choice(body, lambda c: without(c, "finish_reason"))


@fault("usage-missing", caught_by=USAGE, stage="whole")
def usage_missing(body: Json, shot: Shot) -> Json:
    """The answer has no usage."""
    return without(body, "usage")


@fault("usage-never", caught_by=USAGE, stage=("whole", "chunk"))
def usage_never(body: Json, shot: Shot) -> Json:
    """No answer has usage, plain or streamed."""
    return without(body, "usage")


@fault("usage-total-wrong", caught_by=USAGE, stage=("whole", "chunk"))
def usage_total_wrong(body: Json, shot: Shot) -> Json:
    """total_tokens is not the sum of the other two."""
    return with_usage(body, total_tokens=lambda n: n + 1)


@fault("usage-negative", caught_by=USAGE, stage=("whole", "chunk"))
def usage_negative(body: Json, shot: Shot) -> Json:
    """Token counts are negative, and add up."""
    return with_usage(body, prompt_tokens=lambda n: -n, completion_tokens=lambda n: -n, total_tokens=lambda n: -n)


@fault("usage-a-string", caught_by=USAGE, stage=("whole", "chunk"))
def usage_a_string(body: Json, shot: Shot) -> Json:
    """Token counts are strings."""
    return with_usage(body, prompt_tokens=str, completion_tokens=str, total_tokens=str)


@fault("cap-overrun", caught_by=CAP, stage="answer", when=edits.capped)
def cap_overrun(answer: Answer, shot: Shot) -> Answer:
    """An answer ended by its cap has five tokens more than the cap."""
    return answer.then(" and so on, on") if answer.finish == "length" else answer


@fault("length-too-early", caught_by=CAP, stage="answer", when=edits.capped)
def length_too_early(answer: Answer, shot: Shot) -> Answer:
    """finish_reason says length at a third of the cap."""
    if answer.finish != "length" or answer.generated < 3:
        return answer
    kept = answer.generated // 3
    return replace(
        answer, reasoning=answer.reasoning[:kept], content=answer.content[: max(kept - len(answer.reasoning), 0)]
    )


@fault("content-missing", caught_by=CONTENT, stage="whole")
def content_missing(body: Json, shot: Shot) -> Json:
    """The message has no content."""
    return each_message(body, lambda m: without(m, "content"))


@fault("content-a-list", caught_by=CONTENT, stage="whole")
def content_a_list(body: Json, shot: Shot) -> Json:
    """content is a list of parts."""
    return each_message(body, lambda m: {**m, "content": [{"type": "text", "text": m["content"]}]})


@fault("content-a-number", caught_by=CONTENT, stage="whole")
def content_a_number(body: Json, shot: Shot) -> Json:
    """content is a number."""
    return each_message(body, lambda m: {**m, "content": 42})


@fault("empty-messages-accepted", caught_by=EMPTY, stage="body", when=edits.empty_messages)
def empty_messages_accepted(body: Json, shot: Shot) -> Json:
    """An empty list of messages is answered."""
    return {**body, "messages": VALID["messages"]}


@fault("empty-messages-500", caught_by=EMPTY, stage="reply", when=edits.empty_messages)
def empty_messages_500(reply: Reply, shot: Shot) -> Reply:
    """An empty list of messages gives 500."""
    return failure(message="list index out of range")


@fault("bad-messages-accepted", caught_by=BAD, stage="body", when=edits.bad_messages)
def bad_messages_accepted(body: Json, shot: Shot) -> Json:
    """Missing or wrong messages are answered."""
    return {**body, "messages": VALID["messages"]}


@fault("bad-messages-500", caught_by=BAD, stage="reply", when=edits.bad_messages)
def bad_messages_500(reply: Reply, shot: Shot) -> Reply:
    """Missing or wrong messages give 500."""
    return failure()


# ids


@fault("ids-of-the-process", caught_by=IDS, stage=("whole", "chunk"))
def ids_of_the_process(body: Json, shot: Shot) -> Json:
    """Each answer has the id of the process."""
    return {**body, "id": "chatcmpl-worker-1"}


@fault("ids-of-the-prompt", caught_by=IDS, stage=("whole", "chunk"))
def ids_of_the_prompt(body: Json, shot: Shot) -> Json:
    """The id is a sum of the prompt: the same question has the same id."""
    return {**body, "id": f"chatcmpl-{zlib.crc32(repr(shot.call.says('messages')).encode()):08x}"}


@fault("object-of-a-chunk", caught_by=OBJECT, stage="whole")
def object_of_a_chunk(body: Json, shot: Shot) -> Json:
    """A plain answer says that it is a chunk."""
    return {**body, "object": "chat.completion.chunk"}


@fault("object-of-its-own", caught_by=OBJECT, stage="whole")
def object_of_its_own(body: Json, shot: Shot) -> Json:
    """object has a name of the server's own."""
    return {**body, "object": "chat"}


# prompts


@fault("prompt-tokens-of-what-is-new", caught_by=PROMPT, stage="whole")
def prompt_tokens_of_what_is_new(body: Json, shot: Shot) -> Json:
    """prompt_tokens leaves out what was known of the prompt."""
    known = body["usage"]["prompt_tokens_details"]["cached_tokens"]
    return with_usage(body, prompt_tokens=lambda n: n - known, total_tokens=lambda n: n - known) if known else body


@fault("prompt-tokens-of-one", caught_by=PROMPT, stage="whole")
def prompt_tokens_of_one(body: Json, shot: Shot) -> Json:
    """prompt_tokens is a fixed number."""
    more = 12 - body["usage"]["prompt_tokens"]
    return with_usage(body, prompt_tokens=lambda n: n + more, total_tokens=lambda n: n + more)


@fault("markers-are-read", caught_by=MARKED, stage="whole")
def markers_are_read(body: Json, shot: Shot) -> Json:
    """A marker in a user's text becomes the one token that ends a turn (a template rendered, then tokenized)."""
    found = markers.ANY.findall(repr(shot.call.says("messages")))
    less = sum(len(tokens(marker)) - 1 for marker in found)
    return with_usage(body, prompt_tokens=lambda n: n - less, total_tokens=lambda n: n - less) if less else body


@fault("marker-in-the-content", caught_by=LEAK, stage="answer", when=chat)
def marker_in_the_content(answer: Answer, shot: Shot) -> Answer:
    """The marker that ends a turn is a part of the content."""
    return replace(answer, content=(*answer.content[:-1], "<|im_end|>")) if answer.content else answer


# messages


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
