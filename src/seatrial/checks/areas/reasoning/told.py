"""Where thought is told: in one field, without its markers, before the content; and what is told where it was cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look
from seatrial.checks.areas.reasoning.parts import THINKS, TOLD, told_in, untold
from seatrial.checks.findings import about, no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat, reasoning
from seatrial.records import Exchange, Expect, Finding, Level

WAYS = ("plain", "stream")
REPEATED = 80
"""Characters of a thought that no answer holds by chance: a short one may be all there is to say."""


@rule(
    row="rsn/1",
    level=Level.MAY,
    of=TOLD,
    source="vLLM RFC 27755: reasoning in place of reasoning_content; dify 33342, strands 2182",
    figures=lambda xs, _expect: {"thought is told in": ", ".join(told_in(xs)) or "no field"},
)
def thought_has_one_field(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Thought is told in one field, and in the same one plain and streamed."""
    if nothing := untold(xs):
        yield nothing
        return
    used = {name: found for name, x in xs.items() if (found := reasoning.fields_used(x))}
    for name, x in xs.items():
        thoughts = reasoning.joined(x)
        for answer in chat.answers(x).values():
            again = thoughts.get(answer.index, "").strip()
            if len(again) >= REPEATED and again in answer.content:
                so = "a reader is shown the thought as a part of the answer"
                got = f"in {used[name][0]} and in the content"
                yield violation(f"{name}: thought", expected="in one field", got=got, so=so, about=name)
                return
    usual = next(iter(used.values()))
    for name, found in used.items():
        if len(found) > 1:
            so = "a client that reads each field shows the thought twice"
            yield violation(f"{name}: thought", expected="one field", got=" and ".join(found), so=so, about=name)
            return
        if found != usual:
            so = "a client that reads the one finds no thought in the other"
            where = f"{name}: thought"
            yield violation(where, expected=f"{usual[0]}, as elsewhere", got=found[0], so=so, about=name)
            return


@rule(
    row="rsn/2",
    level=Level.SHOULD,
    of=THINKS,
    source="OVMS 4495: truncated thought stays in the content; vllm-mlx pull request 677: pieces of tags",
)
def content_holds_no_marker(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The content holds no marker of thought, also where the cap cut the thought; nor does the thought have one around
    it; and no piece of one stands where the one ends and the other begins."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    told = reasoning.told(x)
    for answer in chat.answers(x).values():
        where = f"choice {answer.index}, content"
        if found := reasoning.mark(answer.content):
            so = "a reader is shown the thought, and a program that parses the answer stumbles over it"
            yield violation(where, expected=f"no {found}", got=answer.content, so=so)
        elif field := next(
            (name for name, text in told.get(answer.index, {}).items() if reasoning.is_marked(text)), None
        ):
            where, got = f"choice {answer.index}, {field}", told[answer.index][field]
            yield violation(where, expected="thought without its markers", got=got, so="a reader is shown the marker")
        elif answer.content.strip() and (
            piece := reasoning.torn("".join(told.get(answer.index, {}).values()), answer.content)
        ):
            so = "a reader is shown half a marker: a parser looked for it in one delta, and it came in two"
            got = f"{piece} at the end of the thought or before {answer.content}"
            yield violation(where, expected="no piece of a marker", got=got, so=so)
        elif not answer.content and not told.get(answer.index) and answer.reasons != ["length"]:
            expected, judges = "content, or thought beside it", look.by_content(x)
            yield no_evidence(where, expected=expected, got="neither", causes=judges)


@rule(row="rsn/3", level=Level.SHOULD, of=TOLD, source="Ollama middleware/openai.go: thought and content are apart")
def thought_comes_before_content(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A stream tells thought once, before content, and never both in one delta; what a plain answer tells is in the
    stream too, from its beginning to its end; and thought ends at the same place in both, with no piece of it in the
    content."""
    if nothing := untold(xs):
        yield nothing
        return
    for name, x in _streams(xs):
        said: set[int] = set()
        steps = reasoning.steps(x)
        if steps and _unthought(x, xs.get("plain")):
            got, expected = "none: it has too few tokens for one", "a stream that the model thinks about"
            yield refusal(f"{name}: thought", expected=expected, got=got, optional=True)
            continue
        if not any(thinks for _where, _choice, thinks, _speaks in steps):
            so = "a client that shows thought as it comes shows none"
            got = "none" if steps else "none, and no content"
            judges = () if steps else (*look.by_events(x), causes.SCHEMA + causes.SOME)
            yield violation(
                f"{name}: thought", expected="some, as elsewhere", got=got, so=so, about=name, causes=judges
            )
        if again := next(filter(None, map(chat.told_again, reasoning.pieces(x).values())), ""):
            so = "a client that joins deltas shows each word of the thought twice, and sends it back so"
            where, judges = f"{name}: thought", (causes.DELTAS + causes.SOME,)
            yield violation(where, expected="what is new", got=again, so=so, about=name, causes=judges)
            continue
        for where, choice, thinks, speaks in steps:
            so = "a client that takes the one for the other's end loses a part, or shows thought in the answer"
            if thinks and speaks:
                got = "both in one delta"
                yield violation(f"{name}: {where}", expected="thought or content", got=got, so=so, about=name)
                break
            if thinks and choice in said:
                got = "thought after content"
                yield violation(f"{name}: {where}", expected="content alone", got=got, so=so, about=name)
                break
            if speaks:
                said.add(choice)
    plain, streamed = xs.get("plain"), xs.get("stream")
    if plain and streamed and _lacks(plain, streamed):
        so = "a client that does not stream has no thought to show, or to send back"
        judges = look.by_content(plain)
        yield violation("plain: thought", expected="some, as streamed", got="none", so=so, about="plain", causes=judges)
    yield from _ending(xs)
    yield from _lost(xs)


def _lacks(x: Exchange, other: Exchange) -> bool:
    """Whether an answer tells no thought, and has the tokens of the one that the other tells."""
    return bool(reasoning.fields_used(other)) and not reasoning.fields_used(x) and not _unthought(x, other)


def _ending(xs: Mapping[str, Exchange]) -> Iterator[Finding]:
    """Where the content of one answer is that of the other behind a piece that ends the thought of either."""
    said, thoughts = _said(xs), _thoughts(xs)
    first = next(iter(thoughts.values()), "")
    for name, other in (WAYS, WAYS[::-1]):
        whole, text = said.get(name, ""), said.get(other, "")
        piece = whole.removesuffix(text).strip() if text and whole.endswith(text) else ""
        if piece and first.endswith(piece):
            so = "a reader is shown the end of the thought as the beginning of the answer"
            yield violation(f"{name}: content", expected=text, got=whole, so=so, about=name)
        elif piece and _bare(thoughts[other]) == _bare(thoughts[name] + piece):
            so = "a reader is shown the beginning of the answer as the end of the thought, or the other way round"
            got = f"{piece} as thought, and as content where it is not sent so"
            yield violation(f"{other}: thought", expected=thoughts[name][-80:], got=got, so=so, about=other)


def _lost(xs: Mapping[str, Exchange]) -> Iterator[Finding]:
    """Where of two answers of the same words and as many tokens one lacks an end of what the other has thought."""
    said, thoughts = _said(xs), _thoughts(xs)
    counts = {chat.completion_tokens(xs[name]) for name in said}
    if {*WAYS} != said.keys() or len(set(said.values())) > 1 or len(counts) > 1 or None in counts:
        return
    for name, other in (WAYS, WAYS[::-1]):
        part, whole = thoughts[name], thoughts[other]
        if part and part != whole and (whole.startswith(part) or whole.endswith(part)):
            so = "a client that shows thought, or sends it back, has it without its beginning or its end"
            expected, got = f"{len(whole)} characters, as elsewhere", f"{len(part)} of them: {part}"
            judges = (causes.DELTAS + causes.SOME, causes.BOTH_WAYS + causes.SOME)
            yield violation(f"{name}: thought", expected=expected, got=got, so=so, about=name, causes=judges)


def _said(xs: Mapping[str, Exchange]) -> dict[str, str]:
    """What the plain answer and the stream say, without the white space around it."""
    return {way: "".join(a.content for a in chat.answers(xs[way]).values()).strip() for way in WAYS if way in xs}


def _thoughts(xs: Mapping[str, Exchange]) -> dict[str, str]:
    """What each of them has thought."""
    return {way: "".join(reasoning.joined(xs[way]).values()).strip() for way in WAYS if way in xs}


def _bare(text: str) -> str:
    return "".join(text.split())


@rule(row="rsn/4", level=Level.SHOULD, of=TOLD, source="imp PR 1442: stop where thought was cut; ds4 1087, 898")
def cut_thought_says_length(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Where thought uses up the cap, finish_reason is "length", the content is empty, and what was thought is told."""
    if nothing := untold(xs):
        yield nothing
        return
    whole = "".join(reasoning.joined(xs["plain"]).values()) if "plain" in xs else ""
    ways = [{name: x for name, x in xs.items() if chat.asks_for_stream(x) is way} for way in (False, True)]
    lost = [name for way in ways if not any(map(reasoning.fields_used, way.values())) for name in way]
    judged = roomy = False
    for name, x in xs.items():
        for answer in chat.answers(x).values() if name.startswith("cut") and name not in lost else ():
            marked = _marked(answer)
            found = marked or _cut(x, answer, whole)
            judged, roomy = judged or found is not UNCUT, roomy or found is UNCUT
            if found is not None and found is not UNCUT:
                yield about(name, found)
    if roomy and not judged:
        yield UNCUT
    elif not judged:
        yield no_evidence("the answers", expected="thought that its cap cuts", got="none")


UNCUT = refusal("the answers", expected="thought that its cap cuts", got="content", optional=True)


def _marked(answer: chat.Answer) -> Finding | None:
    """Why a content tells nothing of a cut, where the thought stands in it."""
    if not (found := reasoning.mark(answer.content)):
        return None
    where, expected = f"choice {answer.index}, content", "an answer whose thought is apart"
    return no_evidence(where, expected=expected, got=found, causes=causes.UNMARKED)


def _cut(x: Exchange, answer: chat.Answer, whole: str) -> Finding | None:
    """What is wrong with a choice whose cap left no room for its content; UNCUT where there was room."""
    said, thought = answer.content.strip(), reasoning.joined(x).get(answer.index, "")
    if said and thought:
        return UNCUT  # it had come to an end
    if said:
        if not whole.lstrip().startswith(said[: max(8, len(said) // 2)]):
            return UNCUT
        so = "a reader is shown the beginning of the thought as the answer"
        return violation(f"choice {answer.index}, content", expected="none", got=answer.content, so=so)
    if answer.reasons != ["length"]:
        so = "a client takes what is there for the whole answer, and it is empty"
        got, judges = answer.reasons or None, look.by_end(x, answer.reasons)
        return violation(f"choice {answer.index}, finish_reason", expected='"length"', got=got, so=so, causes=judges)
    if not thought:
        so = "tokens are paid for, and nothing is there to show for them"
        return violation(f"choice {answer.index}, thought", expected="what was thought", got="none", so=so)
    return None


def _unthought(x: Exchange, plain: Exchange | None) -> bool:
    """Whether an answer without thought has too few tokens for the one that the other way tells: then none was lost.

    What a model thinks about is its own choice.
    """
    if plain is None or reasoning.is_shown(x):
        return False
    tokens, whole = chat.completion_tokens(x), chat.completion_tokens(plain)
    return None not in (tokens, whole) and (tokens or 0) < (whole or 0) - reasoning.spent(plain) / 2


def _streams(xs: Mapping[str, Exchange]) -> Iterator[tuple[str, Exchange]]:
    """The streams that no small cap cuts."""
    return ((name, x) for name, x in xs.items() if chat.asks_for_stream(x) and not name.startswith("cut"))
