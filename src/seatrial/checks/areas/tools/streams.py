"""Calls in a stream: how their pieces are numbered and joined, and whether they are the plain answer's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seatrial.checks import causes, look
from seatrial.checks.areas.tools import asked
from seatrial.checks.areas.tools.asked import NAMED, STREAMED
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import bound, chat, fields, tools
from seatrial.reading.tools import MadeCall
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten

BOTH_WAYS = NAMED | trait("calls-both-ways")
"""The same call, forced three times: ``plain``, ``again`` and as a ``stream``."""

ENTIRE = ("{}", "[]", '""', "nl")
"""The first and the last letter of an object, a list, a text and a null: of such arguments no piece is missing, and
what is wrong with them is wrong with plain calls too."""


@rule(
    row="tools/10",
    level=Level.MUST,
    of=STREAMED,
    source="OpenAPI document, ChatCompletionMessageToolCallChunk: index is required; openai-python accumulate_delta",
)
def streamed_calls_carry_their_index(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Each piece of a call in a stream carries its index; a choice's calls are numbered from 0 without a gap, a number
    each."""
    if nothing := asked.uncalled(x):
        yield nothing
        return
    for piece in tools.pieces(x):
        if fields.integer(piece.index) is None:
            so = "a client that joins the pieces by it falls over, or drops the call in silence"
            got = piece.index if "index" in piece.sent else "no such key"
            yield violation(f"{piece.where}, tool_calls, index", expected="a whole number", got=got, so=so)
            return
    for choice, made in tools.calls(x).items():
        begun = [call.index for call in made]
        if begun != list(range(len(made))):
            so = "a client that lays calls out by their number has holes, and a call for each piece"
            yield violation(f"choice {choice}, index", expected="0 and so on, without a gap", got=begun, so=so)
        astray = asked.strays(made)
        for call in (call for call in made if call.index in astray):
            so = "a client has a call without a name, and the one before it without its arguments"
            where, got = f"{call.where}, index", f"{call.index}: {call.arguments or 'nothing'}"
            yield violation(where, expected="the number of the call that it goes on with", got=got, so=so)
        for call in filter(asked.merged, made):
            so = "a client joins the arguments of several calls to one text, and parses none of it"
            where, got = f"{call.where}, arguments", call.arguments
            yield violation(where, expected="one call under one index", got=got, so=so)


@rule(
    row="tools/11",
    level=Level.MUST,
    of=STREAMED,
    source="openai-python accumulate_delta joins them; llama.cpp issue 13774; vercel/ai issue 18440: not at first",
)
def id_and_name_of_a_streamed_call_come_once(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The id and the name of a call in a stream come once, with its first piece; a type that comes again does no harm,
    and a name may come in pieces."""
    if nothing := asked.uncalled(x):
        yield nothing
        return
    known = tools.offered(x)
    unnumbered = any(fields.integer(piece.index) is None for piece in tools.pieces(x))
    judges = (asked.INDEXED,) if unnumbered else ()  # pieces of several calls are taken for one
    for call in (call for made in tools.calls(x).values() for call in made if not asked.merged(call)):
        for key, told in (("id", call.told("id")), ("name", call.names)):
            texts = [text for text in told if isinstance(text, str) and text]
            if texts and not _first(call, key):
                so = "a client that begins a call with its first piece, as the AI SDK does, ends the turn with an error"
                got = f"{shorten(texts[0], 40)}, in a later piece"
                where = f"{call.where}, {key}"
                yield violation(where, expected="in the first piece", got=got, so=so, causes=judges)
            if len(texts) < 2 or (key == "name" and call.name in known):
                continue
            so = f"those that join deltas have '{shorten(''.join(texts), 80)}' as the {key}"
            got = f"{len(texts)} times: {shorten(texts[0], 40)}, {shorten(texts[1], 40)}"
            yield violation(f"{call.where}, {key}", expected="once", got=got, so=so, causes=judges)


def _first(call: MadeCall, key: str) -> Any:
    """What the first piece of a call gives for its id or its function's name."""
    piece = call.pieces[0]
    return piece.sent.get(key) if key == "id" else piece.function.get(key)


@rule(
    row="tools/12",
    level=Level.MUST,
    of=STREAMED,
    source="OpenAPI document, ChatCompletionMessageToolCallChunk: arguments is a string; vLLM issue 34887",
)
def streamed_arguments_join_to_an_object(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Each piece of a streamed call's arguments is a string, and together they are one JSON object."""
    if nothing := asked.uncalled(x):
        yield nothing
        return
    cut, unnumbered = asked.cut(x), _unnumbered(x)
    for call in asked.telling(x):
        where = f"{call.where}, arguments"
        strange = [piece for piece in call.given if piece is not None and not isinstance(piece, str)]
        if strange:
            so = "a client that joins texts loses the arguments"
            got = f"{type(strange[0]).__name__}: {shorten(strange[0], 80)}"
            yield violation(where, expected="pieces of text", got=got, so=so)
        elif call.choice in cut and not isinstance(call.value, dict):
            yield no_evidence(where, expected="a whole call", got="cut at the cap")
        elif not call.arguments.strip() and not asked.has_parameters(call, x):
            yield no_evidence(where, expected="a JSON object", got="an empty text", causes=(asked.EMPTY_OBJECT,))
        elif not isinstance(call.value, dict):
            so = "a client that parses the joined text falls over"
            judges = (asked.INDEXED,) if call.choice in unnumbered or asked.merged(call) else _plainly(call)
            judges += look.by_spelling(call.arguments)
            judges += () if call.named else (asked.SHAPED,)
            yield violation(where, expected="a JSON object", got=call.arguments or "none", so=so, causes=judges)


def _plainly(call: MadeCall) -> tuple[str, ...]:
    """The rule whose finding it is that arguments of which no piece is missing are no object; none where one is."""
    text = call.arguments.strip()
    entire = text[:1] + text[-1:] in ENTIRE or bound.decoded(text)[1] == bound.AFTER
    return (asked.SHAPED + causes.SOME,) if entire else ()


def _unnumbered(x: Exchange) -> frozenset[int]:
    """The choices in which pieces were joined to the wrong call, for their numbers are wrong: a rule of its own."""
    made = tools.calls(x)
    if any(fields.integer(piece.index) is None for piece in tools.pieces(x)):
        return frozenset(made)
    gaps = {choice for choice, calls in made.items() if [each.index for each in calls] != list(range(len(calls)))}
    return frozenset(gaps | {choice for choice, calls in made.items() if asked.strays(calls)})


@rule(
    row="tools/12",
    level=Level.MUST,
    of=BOTH_WAYS,
    source="OpenAPI document, stream: the same answer in pieces; vLLM's tests of its tool parsers hold both together",
)
def streamed_call_is_the_plain_one(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A call in a stream has the name and the arguments of the plain answer's, where two plain answers have the
    same."""
    told = {name: _told(xs[name]) for name in ("plain", "again", "stream") if name in xs}
    if len(told) < 3 or not all(told.values()):
        missing = next((name for name in ("plain", "again", "stream") if not told.get(name)), "")
        judges = (asked.NAMED_CALLED, asked.SHAPED, asked.JOINED + causes.SOME, asked.INDEXED + causes.SOME)
        where, got = f"{missing}: tool_calls", asked.instead(xs[missing]) if missing in xs else "no answer"
        yield no_evidence(where, expected="a whole call", got=got, about=missing, causes=judges)
    elif told["plain"] != told["again"]:
        got = f"{_shown(told['plain'])}; {_shown(told['again'])}"
        yield no_evidence("the calls", expected="two plain answers that are the same", got=got, about="again")
    elif told["stream"] != told["plain"]:
        so = "a client that streams does something else than one that does not"
        expected, got = _shown(told["plain"]), _shown(told["stream"])
        strange = _strange(told["plain"], xs["plain"]) or _strange(told["stream"], xs["stream"])
        shaped = (asked.SHAPED,) if strange else look.by_spelling(str(told))
        yield violation("stream: tool_calls", expected=expected, got=got, so=so, about="stream", causes=shaped)


def _told(x: Exchange) -> list[tuple[int, str, Any]]:
    """(choice, function, arguments) of each call of an answer; none where one of them is not whole."""
    made = [(choice, call) for choice, held in sorted(tools.calls(x).items()) for call in held]
    cut = asked.cut(x)
    if any(choice in cut or not isinstance(call.value, dict) for choice, call in made):
        return []
    return [(choice, asked.names(call, x)[0], call.value) for choice, call in made]


def _strange(told: list[tuple[int, str, Any]], x: Exchange) -> bool:
    """Whether a function is named that was not offered: that is wrong whatever the other answer says."""
    return any(name not in tools.offered(x) for _choice, name, _value in told)


def _shown(told: list[tuple[int, str, Any]]) -> str:
    return ", ".join(f"{name}({shorten(value, 100)})" for _choice, name, value in told)


@rule(
    row="tools/13",
    level=Level.SHOULD,
    of=STREAMED,
    source="OpenAPI document, ChatCompletionMessageToolCallChunk: arguments, not nullable; ogx pull request 5462",
)
def no_piece_of_arguments_is_null(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """No piece of a streamed call has null as its arguments: the first has a text, if only an empty one, or leaves them
    out."""
    if nothing := asked.uncalled(x):
        yield nothing
        return
    for call in (call for made in tools.calls(x).values() for call in made):
        if None in call.given:
            at = call.given.index(None)
            so = 'clients join it as "None" or as {}, and the arguments after it no longer parse'
            yield violation(f"{call.where}, arguments, piece {at}", expected='a text, as ""', got="null", so=so)


BESIDE = asked.OFFERED | trait("words-beside-call")
"""Words and a call are asked for, answered plain (``plain``) and as a stream (``stream``)."""


@rule(
    row="tools/25",
    level=Level.SHOULD,
    of=BESIDE,
    source="OpenAPI document, ChatCompletionResponseMessage: content and tool_calls are no alternatives",
)
def words_beside_a_call_are_kept(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Words that stand beside a call in one of two answers to a request, plain and streamed, stand there in the other
    too.

    Whether a model says any, and whether it calls, is its own choice: where it does not, the rule does not apply.
    """
    yield from _beside({name: x for name, x in xs.items() if name in ("plain", "stream")})


def _beside(xs: Mapping[str, Exchange]) -> Iterator[Finding]:
    calling = {name: bool(tools.calls(x)) for name, x in xs.items()}
    words = {name: "".join(answer.content for answer in chat.answers(x).values()).strip() for name, x in xs.items()}
    if len(xs) < 2 or not all(calling.values()) or not any(words.values()):
        mute = {name for name in xs if calling[name] and not words[name]}
        said = {name: "a call alone" if name in mute else shorten(asked.instead(x), 60) for name, x in xs.items()}
        got = "; ".join(f"{name}: {text}" for name, text in said.items())
        yield refusal("the answers", expected="words and a call in one answer", got=got, optional=True)
        return
    for name, heard in words.items():
        if not heard:
            other = next(text for text in words.values() if text)
            so = "an agent shows nothing of what the model said before it called, and loses it from the history"
            yield violation(f"{name}: content", expected=shorten(other, 80), got="none", so=so, about=name)
