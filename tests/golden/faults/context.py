"""Prompts cut, refused or dropped where they should not be; texts that harm; what is shared and should help."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from tests.golden import answers, items
from tests.golden.answers import Answer, tokens
from tests.golden.chat import CONTEXT
from tests.golden.edits import CAPS, Json, failure, whole_number
from tests.golden.faults.optional import with_format
from tests.golden.items import Act, Pause, Piece, Reply
from tests.golden.registry import Call, Shot, chat, fault, freedom
from tests.golden.validation import InsteadError, RefusedError

KEPT = 100
"""Tokens of a text that are kept by a server that cuts."""

TOGETHER = 4
"""So many requests at once are too many for a server that breaks under them."""


def _prompt(call: Call) -> str:
    """The last message, where it is a text."""
    messages = call.says("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) else None
    return content if isinstance(content, str) else ""


def _length(call: Call) -> int:
    """Tokens of the messages that are texts."""
    messages = call.says("messages")
    texts = [m.get("content") for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
    return sum(len(answers.tokens(text)) for text in texts if isinstance(text, str))


def _too_long(call: Call) -> bool:
    return chat(call) and _length(call) > CONTEXT - 8


def _endless(call: Call) -> bool:
    return chat(call) and _length(call) > 2 * CONTEXT + 500


def _long(call: Call) -> bool:
    return chat(call) and len(_prompt(call).split()) > KEPT


def _beyond(call: Call) -> bool:
    """The cap reaches beyond the context, and the prompt does not."""
    caps = [cap for name in CAPS if whole_number(cap := call.says(name))]
    return chat(call) and not _too_long(call) and bool(caps) and CONTEXT < _length(call) + max(caps) < 2 * CONTEXT


def _with_text(body: Json, text: str) -> Json:
    return {**body, "messages": [*body["messages"][:-1], {**body["messages"][-1], "content": text}]}


@fault("overflow-500", caught_by="context/prompt-beyond-the-context-is-refused", stage="body", when=_too_long)
def overflow_500(body: Json, shot: Shot) -> Json:
    """A prompt beyond the context gets a 500 (llama.cpp 19774)."""
    shot.fire()
    raise InsteadError(failure(500, "Context size has been exceeded."))


@fault("overflow-error-in-200", caught_by="context/prompt-beyond-the-context-is-refused", stage="body", when=_too_long)
def overflow_error_in_200(body: Json, shot: Shot) -> Json:
    """A prompt beyond the context gets a 200 that holds an error (LM Studio 2322)."""
    shot.fire()
    raise InsteadError(Reply(200, {"error": {"message": "the prompt is longer than the context", "type": "error"}}))


@fault("endless-is-500", caught_by="context/text-of-any-length-is-answered-or-refused", stage="body", when=_endless)
def endless_is_500(body: Json, shot: Shot) -> Json:
    """A prompt of several times the context gets a 500, a shorter one a 400 (llama.cpp 19774)."""
    shot.fire()
    raise InsteadError(failure(500, "input is too large to process"))


@fault("endless-closes", caught_by="context/text-of-any-length-is-answered-or-refused", stage="wire", when=_endless)
def endless_closes(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A prompt of several times the context closes the connection."""
    shot.fire()
    yield Act.CUT


@fault("overflow-closes", caught_by="errors/faulty-request-is-answered", stage="wire", when=_too_long)
def overflow_closes(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A prompt beyond the context closes the connection without a word."""
    shot.fire()
    yield Act.CUT


@fault(
    "usage-of-the-last-message", caught_by="chat/messages-of-each-role-are-read", stage=("whole", "chunk"), when=chat
)
def usage_of_the_last_message(body: Json, shot: Shot) -> Json:
    """usage counts the last message, and nothing before it."""
    usage, last = body.get("usage"), _prompt(shot.call)
    read = len(answers.tokens(last)) + 4
    if not usage or not last or read >= usage["prompt_tokens"]:
        return body
    return {**body, "usage": {**usage, "prompt_tokens": read, "total_tokens": read + usage["completion_tokens"]}}


@fault("front-is-cut", caught_by="context/nothing-is-cut-in-silence", stage="body", when=_too_long)
def front_is_cut(body: Json, shot: Shot) -> Json:
    """Of a prompt beyond the context the last half of a context is read, with 200 (Ollama 17427)."""
    return _with_text(body, "".join(answers.tokens(_prompt(shot.call))[-CONTEXT // 2 :]))


@fault("end-is-cut", caught_by="context/nothing-is-cut-in-silence", stage="body", when=_long)
def end_is_cut(body: Json, shot: Shot) -> Json:
    """Of any text the first hundred words are read."""
    return _with_text(body, " ".join(_prompt(shot.call).split()[:KEPT]))


@fault("cap-beyond-is-500", caught_by="context/cap-beyond-the-context-is-refused-or-met", stage="body", when=_beyond)
def cap_beyond_is_500(body: Json, shot: Shot) -> Json:
    """A cap that the context has no room for ends in a 500."""
    shot.fire()
    raise InsteadError(failure(500, "the KV cache is full"))


@fault(
    "context-end-says-stop", caught_by="context/cap-beyond-the-context-is-refused-or-met", stage="answer", when=_beyond
)
def context_end_says_stop(answer: Answer, shot: Shot) -> Answer:
    """An answer that the end of the context cuts says stop."""
    return replace(answer, finish="stop") if answer.finish == "length" else answer


@fault("context-shifts", caught_by="context/cap-beyond-the-context-is-refused-or-met", stage="answer", when=_beyond)
def context_shifts(answer: Answer, shot: Shot) -> Answer:
    """An answer goes on beyond the end of the context: what stands at its beginning makes room (llama.cpp with
    --context-shift)."""
    body = shot.call.body
    stops = body.get("stop") or ()
    cap = min(body[name] for name in CAPS if body.get(name) is not None)
    longer = shot.call.drafts[-1].limited(cap, (stops,) if isinstance(stops, str) else tuple(stops))
    return longer if longer.generated > answer.generated else answer


@fault("limit-off-by-one", caught_by="context/the-exact-limit-works", stage="draft")
def limit_off_by_one(answer: Answer, shot: Shot) -> Answer:
    """The last token of the context cannot be asked for."""
    body = shot.call.body
    said = [m.get("content") for m in body["messages"]]
    used = sum(len(answers.tokens(text)) + 4 for text in said if isinstance(text, str)) + 2
    if max([body[name] for name in CAPS if body.get(name)], default=0) < CONTEXT - used:
        return answer
    shot.fire()
    raise RefusedError(f"prompt and max_tokens must be below {CONTEXT}", param="max_tokens")


@fault("context-shared-by-slots", caught_by="context/context-is-as-long-as-announced", stage="body", when=chat)
def context_shared_by_slots(body: Json, shot: Shot) -> Json:
    """A slot has an eighth of the context that is announced (llama.cpp 23652, lemonade 3276)."""
    if not isinstance(body, dict) or _length(shot.call) <= CONTEXT // 8:
        return body
    shot.fire()
    message = f"the request exceeds the available context size ({CONTEXT // 8} tokens)"
    raise RefusedError(message, param="messages", code="context_length_exceeded")


@fault("nul-is-500", caught_by="context/odd-text-is-never-a-5xx", stage="body", when=lambda c: "\0" in _prompt(c))
def nul_is_500(body: Json, shot: Shot) -> Json:
    """A text that holds NUL ends in a 500."""
    shot.fire()
    raise InsteadError(failure(500, "embedded null byte"))


@fault(
    "blank-closes",
    caught_by="context/odd-text-is-never-a-5xx",
    stage="wire",
    when=lambda call: bool(_prompt(call)) and not _prompt(call).strip(),
)
def blank_closes(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A text of white space closes the connection without an answer."""
    shot.fire()
    yield Act.CUT


@fault(
    "long-line-is-500",
    caught_by="context/odd-text-is-never-a-5xx",
    stage="body",
    when=lambda call: len(_prompt(call)) > 500 and " " not in _prompt(call),
)
def long_line_is_500(body: Json, shot: Shot) -> Json:
    """A long line without a space is too much for the splitting into words (a regular expression that recurses)."""
    shot.fire()
    raise InsteadError(failure(500, "regex_error(error_stack)"))


def _other_text(answer: Answer, text: str) -> Answer:
    return answer if text == answer.text else replace(answer, content=tokens(text))


@fault("composes-accents", caught_by="context/characters-come-back-as-they-went", stage="draft", when=with_format)
def composes_accents(answer: Answer, shot: Shot) -> Answer:
    """A letter and the accent beside it come back as one character (text is normalised to NFC)."""
    return _other_text(answer, unicodedata.normalize("NFC", answer.text))


@fault("loses-joiners", caught_by="context/characters-come-back-as-they-went", stage="draft", when=with_format)
def loses_joiners(answer: Answer, shot: Shot) -> Answer:
    """Signs without a width of their own are left out."""
    return _other_text(answer, answer.text.replace("\u200d", ""))


def _known(body: Json, change: object) -> Json:
    usage = body.get("usage")
    if not usage or not usage["prompt_tokens_details"]["cached_tokens"]:
        return body
    return {**body, "usage": {**usage, "prompt_tokens_details": {"cached_tokens": change(usage)}}}  # type: ignore[operator]


@fault("prefix-is-forgotten", caught_by="context/second-turn-reuses-its-prefix", stage="whole")
def prefix_is_forgotten(body: Json, shot: Shot) -> Json:
    """Each turn is read from its beginning."""
    return _known(body, lambda usage: 0)


@fault("cached-beyond-the-prompt", caught_by="context/second-turn-reuses-its-prefix", stage="whole")
def cached_beyond_the_prompt(body: Json, shot: Shot) -> Json:
    """More tokens are said to be known than the prompt has."""
    return _known(body, lambda usage: usage["prompt_tokens"] + 1)


def crowded(pieces: Iterator[Piece], shot: Shot, then: Iterator[Piece]) -> Iterator[Piece]:
    """All requests that come while as many others are worked on end in the same way."""
    memory = shot.memory
    memory["now"] = memory.get("now", 0) + 1
    memory["most"] = max(memory.get("most", 0), memory["now"])
    try:
        yield Pause(0.05)
        if memory["most"] >= TOGETHER:
            shot.fire()
            yield from then
        else:
            yield from pieces
    finally:
        memory["now"] -= 1
        if not memory["now"]:
            memory["most"] = 0


@fault("crowd-kills-all", caught_by="context/each-request-of-a-crowd-has-its-answer", stage="wire", when=chat)
def crowd_kills_all(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """One request too many, and all get a 500 (llama.cpp 23652)."""
    said = items.whole(failure(500, "Context size has been exceeded."), bodiless=False, close=True)
    return crowded(pieces, shot, said)


@fault("crowd-is-cut", caught_by="context/each-request-of-a-crowd-has-its-answer", stage="wire", when=chat)
def crowd_is_cut(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """One request too many, and all connections are closed in the middle of their answers."""
    return crowded(pieces, shot, iter((b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", Act.CUT)))


@fault("prefix-is-not-told", stage="whole", when=chat, family="honest")
def prefix_is_not_told(body: Json, shot: Shot) -> Json:
    """usage does not say what of a prompt was known."""
    return {**body, "usage": {**body["usage"], "prompt_tokens_details": None}}


@freedom(
    "prompt-tokens-are-many",
    stage="whole",
    when=lambda c: _long(c) and _length(c) < 1000,
    of="tokens of prompts",
    source="OpenAPI document, CompletionUsage: prompt_tokens counts the template too, whatever it is",
)
def prompt_tokens_are_many(body: Json, shot: Shot) -> Json:
    """A tokenizer that knows few words makes three tokens of one."""
    usage = body["usage"]
    prompt = 3 * usage["prompt_tokens"]
    return {**body, "usage": {**usage, "prompt_tokens": prompt, "total_tokens": prompt + usage["completion_tokens"]}}


@freedom(
    "blank-text-is-refused",
    stage="body",
    when=chat,
    of="blank texts",
    source="OpenAPI document: nothing is said of a message of white space; refused with a 400",
)
def blank_text_is_refused(body: Json, shot: Shot) -> Json:
    """A prompt of white space is refused as empty."""
    if _prompt(shot.call) and not _prompt(shot.call).strip():
        shot.fire()
        raise RefusedError("the message is blank", param="messages")
    return body
