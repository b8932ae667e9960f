"""Faults of stop strings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.golden import edits
from tests.golden.answers import Answer, tokens
from tests.golden.edits import Json, says, without
from tests.golden.registry import Call, Shot, chat, fault, freedom, streaming

FOUR = "params/each-of-four-stop-strings-ends-the-answer"
LEAK = "params/stop-string-never-leaks-in-part"
EMPTY = "params/empty-stop-stops-nothing"
FIVE = "params/five-stop-strings-are-refused"
SCRIPT = "params/stop-string-of-any-script-ends-the-answer"
WRITTEN = "params/stop-string-is-matched-as-it-is-written"
BLANKS = "params/blanks-before-a-stop-string-are-kept"
THOUGHT = "params/stop-string-in-thought-ends-nothing"


def _list(call: Call) -> bool:
    return chat(call) and isinstance(call.says("stop"), list) and len(call.says("stop")) > 1


@fault("stop-list-first-alone", caught_by=FOUR, stage="body", when=_list)
def stop_list_first_alone(body: Json, shot: Shot) -> Json:
    """Of several stop strings the first alone is looked for."""
    return {**body, "stop": body["stop"][:1]}


@fault("stop-list-ignored", caught_by=FOUR, stage="body", when=_list)
def stop_list_ignored(body: Json, shot: Shot) -> Json:
    """A list of stop strings is ignored; a single one is not."""
    return without(body, "stop")


def _streams_to_a_stop(call: Call) -> bool:
    return streaming(call) and says("stop")(call)


@fault("stop-leaks-in-part", caught_by=LEAK, stage="answer", when=_streams_to_a_stop)
def stop_leaks_in_part(answer: Answer, shot: Shot) -> Answer:
    """The first half of a stop string was streamed before the second half came (FastChat issue 1048)."""
    half = answer.stopped_by[: len(answer.stopped_by) // 2]
    return answer.then(half) if half else answer


@fault("stop-takes-the-token-before-it", caught_by=LEAK, stage="answer", when=_streams_to_a_stop)
def stop_takes_the_token_before_it(answer: Answer, shot: Shot) -> Answer:
    """What was held back for a stop string is dropped whole, with the words before it."""
    return replace(answer, content=answer.content[:-1]) if answer.stopped_by and answer.content else answer


@fault("stop-takes-the-letter-before-it", caught_by=FOUR, stage="answer", when=says("stop"))
def stop_takes_the_letter_before_it(answer: Answer, shot: Shot) -> Answer:
    """An answer is cut a letter too early: where it ends is counted from one."""
    return replace(answer, content=tokens(answer.text[:-1])) if answer.stopped_by and answer.content else answer


@fault("what-follows-a-stop-is-kept", caught_by=LEAK, stage="answer", when=says("stop"))
def what_follows_a_stop_is_kept(answer: Answer, shot: Shot) -> Answer:
    """A step brings several tokens: a stop string is cut out of them, and what follows it in that step is told (SGLang
    pull request 25980)."""
    whole = shot.call.drafts[-1].text
    behind = whole[len(answer.text) + len(answer.stopped_by) :]
    return answer.then(tokens(behind)[0]) if answer.stopped_by and behind else answer


def _bare(stop: object) -> object:
    """A stop string without white space at its ends; a list of such."""
    if isinstance(stop, list):
        return [each.strip() if isinstance(each, str) else each for each in stop]
    return stop.strip() if isinstance(stop, str) else stop


@fault("stop-trimmed", caught_by=WRITTEN, stage="body", when=says("stop"))
def stop_trimmed(body: Json, shot: Shot) -> Json:
    """White space is taken off stop strings before they are looked for (LangChain pull request 1566 does so)."""
    bare = _bare(body["stop"])
    return body if bare == body["stop"] else {**body, "stop": bare}


def _each(stop: object, change: Callable[[str], str]) -> object:
    """A stop string, changed; a list with each of them changed, without those of which nothing is left."""
    if isinstance(stop, list):
        return [made for each in stop if (made := change(each) if isinstance(each, str) else each)]
    return change(stop) if isinstance(stop, str) else stop


@fault("stop-of-other-scripts-ignored", caught_by=SCRIPT, stage="body", when=says("stop"))
def stop_of_other_scripts_ignored(body: Json, shot: Shot) -> Json:
    """Stop strings that are not ASCII are not looked for: they are no token, and tokens are compared."""
    kept = _each(body["stop"], lambda each: each if each.isascii() else "")
    if kept == body["stop"]:
        return body
    return {**body, "stop": kept} if kept else without(body, "stop")


@fault("stop-found-by-its-bytes", caught_by=SCRIPT, stage="answer", when=says("stop"))
def stop_found_by_its_bytes(answer: Answer, shot: Shot) -> Answer:
    """Where a stop string begins is counted in bytes, and the answer is cut after as many characters."""
    if not answer.stopped_by or answer.text.isascii():
        return answer
    return replace(answer, content=tokens(shot.call.drafts[-1].text[: len(answer.text.encode())]))


@freedom(
    "tells-what-stopped-it",
    of="what a choice has beside the document's fields",
    source="vLLM: stop_reason, the stop string that was found; SGLang: matched_stop",
    stage=("whole", "chunk"),
    when=says("stop"),
)
def tells_what_stopped_it(body: Json, shot: Shot) -> Json:
    """A choice that a stop string ended tells it, in a field of its own."""
    stop = shot.call.says("stop")
    first = next(iter(stop), None) if isinstance(stop, list) else stop
    return edits.each_choice(body, lambda c: {**c, "stop_reason": first} if c["finish_reason"] == "stop" else c)


@fault("stop-read-letter-by-letter", caught_by=LEAK, stage="answer", when=says("stop"))
def stop_read_letter_by_letter(answer: Answer, shot: Shot) -> Answer:
    """A stop that is a string is made a list as Python does it, of its letters: each of them ends the answer. The
    document allows a string as well as a list (StopConfiguration)."""
    given = shot.call.says("stop")
    found = [at for letter in given if (at := answer.text.find(letter)) > 0] if isinstance(given, str) else []
    return replace(answer, content=(answer.text[: min(found)],), finish="stop") if len(given) > 1 and found else answer


@fault("stop-in-any-case", caught_by=WRITTEN, stage="answer", when=says("stop"))
def stop_in_any_case(answer: Answer, shot: Shot) -> Answer:
    """Stop strings are looked for in any case."""
    given = shot.call.says("stop")
    text = answer.text.lower()
    found = [at for stop in ([given] if isinstance(given, str) else given) if (at := text.find(stop.lower())) > 0]
    return replace(answer, content=(answer.text[: min(found)],), finish="stop") if found else answer


@fault("blanks-before-a-stop-trimmed", caught_by=BLANKS, stage="answer", when=says("stop"))
def blanks_before_a_stop_trimmed(answer: Answer, shot: Shot) -> Answer:
    """What comes before a stop string is handed on without the blanks at its end."""
    text = answer.text.rstrip()
    return replace(answer, content=tokens(text)) if answer.stopped_by and text != answer.text else answer


@fault("content-trimmed", caught_by=BLANKS, stage="answer", when=chat)
def content_trimmed(answer: Answer, shot: Shot) -> Answer:
    """Every content is handed on without blanks at its ends (getsentry pull request 70392 does so as a client)."""
    text = answer.text.strip()
    return replace(answer, content=tokens(text)) if text != answer.text else answer


def _empty(call: Call) -> bool:
    return chat(call) and call.says("stop") == ""


@fault("empty-stop-ends-the-answer", caught_by=EMPTY, stage="answer", when=_empty)
def empty_stop_ends_the_answer(answer: Answer, shot: Shot) -> Answer:
    """An empty stop string is found before the first token."""
    return replace(answer, content=(), finish="stop")


@fault("fifth-stop-dropped", caught_by=FIVE, stage="body", when=_list)
def fifth_stop_dropped(body: Json, shot: Shot) -> Json:
    """Of five stop strings four are kept, without a word."""
    return {**body, "stop": body["stop"][:4]} if len(body["stop"]) > 4 else body


@fault("stop-ends-the-thought", caught_by=THOUGHT, stage="answer", when=_list)
def stop_ends_the_thought(answer: Answer, shot: Shot) -> Answer:
    """A stop string in the thought ends the answer."""
    thought = "".join(answer.reasoning)
    found = [at for stop in shot.call.body["stop"] if (at := thought.find(stop)) >= 0]
    return replace(answer, reasoning=(thought[: min(found)],), content=(), finish="stop") if found else answer
