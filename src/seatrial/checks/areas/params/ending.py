"""Stop strings: where an answer ends, and what of them is seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look
from seatrial.checks.areas.params.parts import MANY_STOPS, NO_STOP, SCRIPT_STOPS, STOP, STOP_IN_THOUGHT, STOPS
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat, fields
from seatrial.records import Exchange, Expect, Finding, Level

FOUR = "params/each-of-four-stop-strings-ends-the-answer"
LEAKS = "params/stop-string-never-leaks-in-part"


@rule(row="p/9", level=Level.MUST, of=STOP, source="OpenAPI document, StopConfiguration")
def stop_string_ends_the_answer(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A stop string ends the answer, is no part of it, and finish_reason is "stop"."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    stops = _stops(x)
    for answer in chat.answers(x).values():
        where = f"choice {answer.index}"
        found = next((s for s in stops if s in answer.content), None)
        if found is not None:
            so = "a client that splits at it gets text it does not expect"
            goes_on = not answer.content.endswith(found)
            yield violation(
                f"{where}, content",
                expected=f"to end before {found!r}",
                got=answer.content,
                so=so,
                grave=True,
                ignores="stop" if goes_on else "",
            )
            continue
        if answer.reasons == ["length"]:
            got = answer.content or f"{len(answer.reasoning)} characters of reasoning"
            yield no_evidence(f"{where}, content", expected=f"text that reaches {stops}", got=got)
        elif answer.reasons != ["stop"]:
            said, judges = answer.reasons or None, look.by_end(x, answer.reasons)
            yield violation(f"{where}, finish_reason", expected='"stop"', got=said, causes=judges)


@rule(
    row="p/10",
    part="four work",
    level=Level.MUST,
    of=STOPS,
    source="OpenAPI document, StopConfiguration: up to 4 sequences",
)
def each_of_four_stop_strings_ends_the_answer(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Of four stop strings each ends the answer: the last one does."""
    yield from _ended(xs, "four")


@rule(
    row="p/11", level=Level.MUST, of=STOPS, source="OpenAPI document, StopConfiguration; FastChat PR 3883, issue 1048"
)
def stop_string_never_leaks_in_part(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A stop string of several tokens is not seen in part in a stream either, and the text before it is whole."""
    yield from _ended(xs, "stream")
    for name in ("blank", "blank-stream"):
        yield from _ended_before(xs, name)


@rule(
    row="p/33",
    part="its case and its ends",
    level=Level.MUST,
    of=STOPS,
    source="OpenAPI document, StopConfiguration: sequences where the API will stop; LiteLLM pull request 7484",
)
def stop_string_is_matched_as_it_is_written(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A stop string that an answer has in another case alone, or without its line ends, does not end it."""
    free, unlike = xs.get("free"), {name: x for name, x in xs.items() if name.startswith("unlike")}
    if free is None or not unlike:
        yield no_evidence("the recording", expected="an answer given free, and unlike ones", got=", ".join(xs))
        return
    if nothing := next(filter(None, map(look.unanswered, (free, *unlike.values()))), None):
        yield nothing
        return
    whole = _said(free)
    for name, x in unlike.items():
        where, said = f"{name}: content", _said(x)
        near = {stop: piece for stop in _stops(x) if stop not in whole and (piece := _near(stop, whole))}
        if not near:
            yield no_evidence("free: content", expected="text that a stop string is like", got=whole, about=name)
        elif not said.startswith(whole.rstrip()):  # a server whose own stop strings give way to the request's goes on
            stop = _ended_by(said, whole, near)
            if not stop:
                expected, judges = f"{whole!r}, as given free", (causes.BOTH_WAYS + causes.SOME,) if x.is_stream else ()
                yield no_evidence(where, expected=expected, got=said, about=name, causes=judges)
                continue
            so = "answers end where the client asked for no end, and it takes them for whole"
            expected = f"{whole!r}: it holds {near[stop]!r}, and not the stop string {stop!r}"
            yield violation(where, expected=expected, got=said, so=so, about=name)


@rule(
    row="p/33",
    part="any script",
    level=Level.MUST,
    of=SCRIPT_STOPS,
    source="OpenAPI document, StopConfiguration: sequences where the API will stop, of any characters",
)
def stop_string_of_any_script_ends_the_answer(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A stop string that is not ASCII ends the answer too, plain and in a stream."""
    pairs = {"script": "free", "script-stream": "free", "said": "said-free"}
    shown = [name for name, free in pairs.items() if free not in xs or any(s in _said(xs[free]) for s in _spelt(xs))]
    for name in shown or pairs:  # words may be spelt as escapes, and a model may say others
        yield from _ended(xs, name, pairs[name])


def _spelt(xs: Mapping[str, Exchange]) -> list[str]:
    """Every stop string of a scenario."""
    return [stop for x in xs.values() for stop in _stops(x)]


@rule(
    row="p/34",
    level=Level.SHOULD,
    of=STOPS,
    source="OpenAPI document, StopConfiguration: the stop sequence is what the returned text will not contain",
)
def blanks_before_a_stop_string_are_kept(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A blank before a stop string is part of the answer, plain and in a stream: nothing is trimmed from its end."""
    free, cut = xs.get("free"), {name: x for name, x in xs.items() if name.startswith("blank")}
    if free is None or not cut:
        yield no_evidence("the recording", expected="an answer given free, and one cut at a blank", got=", ".join(xs))
        return
    if nothing := next(filter(None, map(look.unanswered, (free, *cut.values()))), None):
        yield nothing
        return
    whole = _said(free)
    for name, x in cut.items():
        where, said, stop = f"{name}: content", _said(x), next(iter(_stops(x)), "")
        at = whole.find(stop) if stop else -1
        kept, ways = whole[: max(at, 0)], (causes.BOTH_WAYS + causes.SOME,) if x.is_stream else ()
        if not kept.strip() or not kept[-1:].isspace():
            yield no_evidence("free: content", expected="a word behind a blank", got=whole, about=name)
        elif said == kept.rstrip():
            so = "a client that puts pieces together runs words into each other, or lines"
            expected = f"{kept!r}, its last blank with it"
            yield violation(where, expected=expected, got=repr(said), so=so, about=name, causes=(*STOPPING, *ways))
        elif said != kept:
            judges = (*STOPPING, *ways)
            yield no_evidence(where, expected=f"{kept!r}, as given free", got=said, about=name, causes=judges)


STOPPING = tuple(
    rule + causes.SOME
    for rule in (
        causes.STOPPED,
        LEAKS,
        FOUR,
        "params/stop-string-is-matched-as-it-is-written",
    )
)
"""The rules whose finding it is that an answer does not end where a stop string begins."""


@rule(
    row="p/10",
    part="none at all is none",
    level=Level.SHOULD,
    of=NO_STOP,
    answer=False,
    source="OpenAPI document, StopConfiguration: nullable",
)
def empty_stop_stops_nothing(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A stop that names nothing (null, no string, an empty one) ends no answer; an empty one may be refused."""
    if not (free := _said(xs.get("free"))):
        judges = (causes.ANSWERED + causes.SOME,)
        yield no_evidence("free: content", expected="an answer with text", got="none", causes=judges)
        return
    for name, x in xs.items():
        if name == "free" or look.is_refusal(x):
            continue
        if x.status != 200:
            by = look.by_parameters(x)
            yield violation(f"{name}: the status", expected="200, or a 400", got=x.status, about=name, causes=by)
        elif not _said(x):
            so = "a client that always sends a stop, and has none, gets no answer"
            yield violation(f"{name}: content", expected=f"text, as without: {free!r}", got="none", so=so, about=name)


@rule(
    row="p/10",
    part="five are refused",
    level=Level.SHOULD,
    of=MANY_STOPS,
    answer=False,
    source="OpenAPI document, StopConfiguration: maxItems 4",
)
def five_stop_strings_are_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Five stop strings are refused with a 4xx."""
    yield from look.not_refused(x, so="a client that sends too many does not learn which of them are kept")


@rule(
    row="p/12",
    level=Level.MAY,
    of=STOP_IN_THOUGHT,
    source="OpenAPI document, StopConfiguration: the returned text; llama.cpp 13501",
)
def stop_string_in_thought_ends_nothing(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A stop string that turns up in the thought ends neither the thought nor the answer."""
    free = xs.get("free")
    began = {answer.content for answer in chat.answers(free).values()} if free is not None else set()
    for name, x in xs.items():
        stops = _stops(x)
        for answer in chat.answers(x).values() if stops else ():
            if any(stop in answer.reasoning for stop in stops):
                return
            at_once = any(content.startswith(stop) for content in began for stop in stops)
            if answer.reasoning and not answer.content and answer.reasons == ["stop"] and not at_once:
                got = f"an answer without content, after {len(answer.reasoning)} characters of thought"
                so = "a client that stops at a word gets no answer where the model thinks of it"
                yield violation(f"{name}: content", expected="an answer after the thought", got=got, so=so, about=name)
                return
    if not any(answer.reasoning for x in xs.values() for answer in chat.answers(x).values()):
        yield refusal("the thought", expected="one that is told", got="none is", optional=True)
        return
    yield no_evidence("the thought", expected="one that holds a stop string", got="none does")


def _ended(xs: Mapping[str, Exchange], name: str, before: str = "free") -> Iterator[Finding]:
    """What is wrong where an answer is to end before a piece of the same answer, which was given free before."""
    free, x = xs.get(before), xs.get(name)
    if free is None or x is None:
        yield no_evidence("the recording", expected=f"an answer given free, and {name}", got=", ".join(xs))
        return
    if nothing := look.unanswered(free) or look.unanswered(x):
        yield nothing
        return
    whole, said, stops = _said(free), _said(x), _stops(x)
    judges: tuple[str, ...] = causes.BOUND if before == "free" and name.startswith("script") else ()
    stop = min((each for each in stops if each in whole), key=whole.find, default=next(reversed(stops), ""))
    at = whole.find(stop) if stop else -1
    if at < 0:
        yield no_evidence(f"{before}: content", expected=f"text with {stop!r} in it", got=whole, causes=judges)
        return
    kept, where = whole[:at].rstrip(), f"{name}: content"
    expected = f"{kept!r}: to end before {stop!r}"
    stops_all = (FOUR + causes.SOME, LEAKS + causes.SOME) if name.startswith(("script", "said")) else ()
    if stop in said or (said.startswith(whole) and whole != kept):
        so, on = "a client that splits at it gets text it does not expect", "" if said.endswith(stop) else "stop"
        by = (causes.STOPPED + causes.SOME, *stops_all)
        yield violation(where, expected=expected, got=said, so=so, grave=True, about=name, ignores=on, causes=by)
    elif said.rstrip() == kept:
        reasons = [reason for answer in chat.answers(x).values() for reason in answer.reasons]
        if reasons != ["stop"]:
            end, judges = f"{name}: finish_reason", look.by_end(x, reasons)
            yield violation(end, expected='"stop"', got=reasons or None, about=name, causes=judges)
    elif any(said.rstrip() == whole[: at + n].rstrip() for n in range(1, len(stop))):
        so = "a reader sees the beginning of what was to be cut off"
        yield violation(where, expected=expected, got=said, so=so, about=name)
    elif kept.startswith(said.rstrip()):
        so, ways = "words before the stop string are lost", (causes.BOTH_WAYS + causes.SOME,) if x.is_stream else ()
        plain = (FOUR + causes.SOME,) if name == "stream" else ()
        yield violation(where, expected=expected, got=said, so=so, about=name, causes=(*ways, *plain, *stops_all))
    elif said.removeprefix(whole[:at]) != said and whole[at + len(stop) :].startswith(said.removeprefix(whole[:at])):
        so = "what stands before the stop string runs into what was to be cut off behind it"
        judges = (LEAKS + causes.SOME,) if name == "four" else stops_all
        yield violation(where, expected=expected, got=said, so=so, grave=True, about=name, causes=judges)
    else:
        judges = (causes.BOTH_WAYS + causes.SOME,) if x.is_stream else ()
        yield no_evidence(where, expected=f"the beginning of {whole!r}, as given free", got=said, causes=judges)


def _ended_before(xs: Mapping[str, Exchange], name: str) -> Iterator[Finding]:
    """What is wrong where an answer ends long before its stop string, as where that is read letter by letter."""
    free, x = xs.get("free"), xs.get(name)
    if free is None or x is None or not (whole := _said(free)) or not (said := _said(x)):
        return
    stop = next(iter(_stops(x)), "")
    kept = whole[: max(whole.find(stop), 0)].rstrip() if stop else ""
    reasons = [reason for answer in chat.answers(x).values() for reason in answer.reasons]
    if reasons == ["stop"] and kept.startswith(said.rstrip()) and kept != said.rstrip():
        so, judges = "words before the stop string are lost", (causes.BOTH_WAYS + causes.SOME,) if x.is_stream else ()
        expected = f"{kept!r}: to end before {stop!r}"
        yield violation(f"{name}: content", expected=expected, got=said, so=so, about=name, causes=judges)


def _near(stop: str, text: str) -> str:
    """What a text has in place of a stop string: the same in another case, or without its white space at the ends."""
    at = text.lower().find(stop.lower())
    cased = text[at : at + len(stop)] if at >= 0 and len(text.lower()) == len(text) else ""
    bare = stop.strip()
    return cased or (bare if bare in text else "")


def _ended_by(said: str, whole: str, near: Mapping[str, str]) -> str:
    """The stop string before whose like an answer ends, or behind it; empty where it ends elsewhere."""
    ends = [{stop: whole.find(piece) + len(piece) * n for stop, piece in near.items()} for n in (0, 1)]
    return next((stop for each in ends for stop, at in each.items() if said.rstrip() == whole[:at].rstrip()), "")


def _said(x: Exchange | None) -> str:
    """The content of the first choice; empty where there is none."""
    first = None if x is None or x.status != 200 else chat.answers(x).get(0)
    return "" if first is None else first.content


def _stops(x: Exchange) -> list[str]:
    given = fields.mapping(x.request_json).get("stop")
    return [each for each in (given if isinstance(given, list) else [given]) if isinstance(each, str) and each]
