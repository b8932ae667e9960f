"""Faults in the fields of chat answers, and messages that should have got none."""

from __future__ import annotations

from dataclasses import replace

from tests.golden import edits
from tests.golden.answers import Answer
from tests.golden.edits import VALID, Json, each_choice, each_message, failure, with_usage, without
from tests.golden.items import Reply
from tests.golden.registry import Shot, fault

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


@fault("created-with-a-fraction", caught_by=SECONDS, stage=("whole", "chunk"))
def created_with_a_fraction(body: Json, shot: Shot) -> Json:
    """created is what Python's time.time() gives, to the fraction (new-api issue 1131)."""
    return {**body, "created": body["created"] + 0.5}


@fault("created-a-float", caught_by=SECONDS, stage=("whole", "chunk"))
def created_a_float(body: Json, shot: Shot) -> Json:
    """created is written as a float of no fraction, which clients of int64 refuse (axonhub pull request 2187)."""
    return {**body, "created": float(body["created"])}


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


@fault("finish-reason-empty-at-first", caught_by=FINISH, stage="chunk")
def finish_reason_empty_at_first(body: Json, shot: Shot) -> Json:
    """Before its end a stream says finish_reason: "" (Ollama issue 4357)."""
    return each_choice(body, lambda c: c if c["finish_reason"] else {**c, "finish_reason": ""})


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
