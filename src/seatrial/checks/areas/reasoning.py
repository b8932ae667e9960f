"""Thought: told apart from the answer, in one field, before it, within what it was allowed.

No specification has a field for it. A server that tells it in the content, or counts it and shows none of it, has
nothing that most of these rules could judge: they do not apply then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look, traits
from seatrial.checks.answering import refused
from seatrial.checks.findings import about, no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, fields, reasoning
from seatrial.records import Exchange, Expect, Finding, Level

THINKS = traits.CHAT | trait("thinks")
"""A question that the model is told to think about."""

TOLD = THINKS | trait("thought-told")
"""The same question, ``plain`` and as a ``stream``; ``cut`` and ``cut-stream`` have a cap that thought uses up."""

BACK = trait("thought-back")
"""A question to think about (``asked``); then one ``without`` the thought of an earlier turn, and one with it in each
of the fields in use, which name the requests."""

OFF = trait("thought-off")
"""A question with thinking switched off, by each of the switches in use."""

BUDGET = trait("thought-budget")
"""A question under a ``budget`` of thought, and ``free`` of one."""

BUDGETS = ("thinking_budget", "thinking_token_budget", "thinking_budget_tokens", "reasoning_budget")
"""Names under which a request tells it; that of Anthropic's is ``thinking.budget_tokens``."""

REPEATED = 80
"""Characters of a thought that no answer holds by chance: a short one may be all there is to say."""

CLOSING = 48
"""Tokens that a server may add to a thought to bring it to an end: it tells the model that time is up."""


@rule(
    row="rsn/1",
    level=Level.MAY,
    of=TOLD,
    source="vLLM RFC 27755: reasoning in place of reasoning_content; dify 33342, strands 2182",
    figures=lambda xs, _expect: {"thought is told in": ", ".join(_fields(xs)) or "no field"},
)
def thought_has_one_field(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Thought is told in one field, and in the same one plain and streamed."""
    if nothing := _untold(xs):
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


@rule(row="rsn/2", level=Level.SHOULD, of=THINKS, source="OVMS 4495: truncated thought stays in the content")
def content_holds_no_marker(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The content holds no marker of thought, also where the cap cut the thought; nor does the thought have one around
    it."""
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
        elif not answer.content and not told.get(answer.index) and answer.reasons != ["length"]:
            yield no_evidence(where, expected="content, or thought beside it", got="neither")


@rule(row="rsn/3", level=Level.SHOULD, of=TOLD, source="Ollama middleware/openai.go: thought and content are apart")
def thought_comes_before_content(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A stream tells thought before content, and never both in one delta; what a plain answer tells is in the stream
    too."""
    if nothing := _untold(xs):
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
            yield violation(f"{name}: thought", expected="some, as elsewhere", got=got, so=so, about=name)
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


@rule(row="rsn/4", level=Level.SHOULD, of=TOLD, source="imp PR 1442: stop where thought was cut; ds4 1087, 898")
def cut_thought_says_length(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Where thought uses up the cap, finish_reason is "length", the content is empty, and what was thought is told."""
    if nothing := _untold(xs):
        yield nothing
        return
    whole = "".join(reasoning.joined(xs["plain"]).values()) if "plain" in xs else ""
    streams = {name: x for name, x in xs.items() if chat.asks_for_stream(x)}
    lost = () if any(map(reasoning.fields_used, streams.values())) else streams.keys()
    judged = roomy = False
    for name, x in xs.items():
        for answer in chat.answers(x).values() if name.startswith("cut") and name not in lost else ():
            marked = _marked(answer)
            found = marked or _cut(answer, reasoning.joined(x).get(answer.index, ""), whole)
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


def _cut(answer: chat.Answer, thought: str, whole: str) -> Finding | None:
    """What is wrong with a choice whose cap left no room for its content; UNCUT where there was room."""
    said = answer.content.strip()
    if said and thought:
        return UNCUT  # it had come to an end
    if said:
        if not whole.lstrip().startswith(said[: max(8, len(said) // 2)]):
            return UNCUT
        so = "a reader is shown the beginning of the thought as the answer"
        return violation(f"choice {answer.index}, content", expected="none", got=answer.content, so=so)
    if answer.reasons != ["length"]:
        so = "a client takes what is there for the whole answer, and it is empty"
        got = answer.reasons or None
        return violation(f"choice {answer.index}, finish_reason", expected='"length"', got=got, so=so)
    if not thought:
        so = "tokens are paid for, and nothing is there to show for them"
        return violation(f"choice {answer.index}, thought", expected="what was thought", got="none", so=so)
    return None


@rule(row="rsn/5", level=Level.MAY, of=THINKS, source="OpenAPI document, CompletionUsage: reasoning_tokens")
def reasoning_tokens_are_completion_tokens(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """usage counts thought, where it does, as a part of completion_tokens."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    told, all_of_them = reasoning.tokens(x), chat.completion_tokens(x)
    where = "usage.completion_tokens_details.reasoning_tokens"
    count = fields.integer(told)
    if told is None:
        yield refusal(where, expected="a count of thought", got="none", optional=True)
    elif all_of_them is None:
        yield look.uncounted(x) or no_evidence(where, expected="a count of all tokens", got=None)
    elif count is None or not 0 <= count <= all_of_them:
        so = "accounts that take thought off the whole come out wrong"
        yield violation(where, expected=f"0 to {all_of_them}, a part of completion_tokens", got=told, so=so)
    elif count == 0 and reasoning.fields_used(x):
        yield violation(where, expected="a count of the thought that is told", got=0, so="thought looks free of cost")


@rule(
    row="rsn/6",
    level=Level.SHOULD,
    of=BACK,
    answer=False,
    source="vLLM 38488, opencode PR 30477: agents send thought back under the name they got it by",
    figures=lambda xs, _expect: _read_again(xs),
)
def thought_can_be_sent_back(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """An assistant's earlier turn may hold its thought, in the field in which the server tells it."""
    beside = [refused(x) for name, x in xs.items() if name in ("asked", "without")]
    if declined := next(filter(None, beside), None):
        expected, judges = "an answer without any thought sent back", (causes.ANSWERED + causes.SOME,)
        yield no_evidence("the answers", expected=expected, got=declined.got, causes=judges)
        return
    if nothing := _untold(xs):
        yield nothing
        return
    used = _fields(xs)
    for name, x in xs.items():
        if name in reasoning.FIELDS and (found := refused(x)) and (name in used or (x.status or 0) >= 500):
            so = "an agent that keeps its conversation as it was answered gets no further turn"
            where = f"{name} in an assistant's turn"
            yield violation(where, expected="an answer", got=found.got, so=so, about=name)


@rule(
    row="rsn/7",
    level=Level.MAY,
    of=OFF,
    optional=True,
    answer=False,
    source="OpenAPI document, ReasoningEffort: none; chat_template_kwargs of llama.cpp, vLLM and SGLang",
    figures=lambda xs, _expect: {"switched off by": ", ".join(_effective(xs)) or "nothing"},
)
def thinking_can_be_switched_off(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """reasoning_effort none, or the template's switch, keeps the model from thinking; or they are refused."""
    if _effective(xs):
        return
    thinking = [name for name, x in xs.items() if not refused(x) and reasoning.is_shown(x)]
    if thinking:
        so = "short answers cost a thought each, and small caps leave nothing of them"
        yield violation(
            "thought", expected="none", got=f"some, for all of {', '.join(thinking)}", so=so, about=thinking[0]
        )
        return
    for name, x in xs.items():
        if found := refused(x):
            yield about(name, found)
        else:
            yield no_evidence(f"{name}: content", expected="an answer with text", got="an empty one", about=name)


@rule(
    row="rsn/8",
    level=Level.SHOULD,
    of=BUDGET,
    optional=True,
    source="vLLM thinking_token_budget, llama.cpp thinking_budget_tokens, Qwen thinking_budget; ds4 898",
    figures=lambda xs, _expect: {f"thought, {name}": f"{reasoning.spent(x)} tokens" for name, x in xs.items()},
)
def thinking_budget_is_kept(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A budget of thought ends a thought that would go on, but for some closing words; or it is refused."""
    if nothing := next(filter(None, map(look.unanswered, xs.values())), None):
        yield nothing
        return
    if not {"budget", "free"} <= xs.keys():
        yield no_evidence("the recording", expected="an answer under a budget and one free of it", got=", ".join(xs))
        return
    allowed = _allowed(xs["budget"])
    spent, would = (reasoning.spent(xs[name]) for name in ("budget", "free"))
    if spent > allowed + CLOSING:
        so = "thought eats the cap, and the answer comes late or never"
        got = f"{spent} tokens of thought; {would} without a budget"
        expected = f"{allowed} and at most {CLOSING} to close it, or a 400"
        yield violation("thought", expected=expected, got=got, so=so, about="budget")
    elif not would and not spent:
        yield _untold(xs) or no_evidence("thought", expected="some", got="none")
    elif would <= allowed + CLOSING:
        expected = f"a thought of more than {allowed + CLOSING} tokens without a budget"
        yield refusal("thought", expected=expected, got=f"{would} tokens", optional=True)


def _fields(xs: Mapping[str, Exchange]) -> list[str]:
    used = {name for x in xs.values() for name in reasoning.fields_used(x)}
    return [name for name in reasoning.FIELDS if name in used]


def _untold(xs: Mapping[str, Exchange]) -> Finding | None:
    """Why there is no thought in a field of its own to judge, or None."""
    if any(reasoning.fields_used(x) for x in xs.values()):
        return None
    for x in xs.values():
        if nothing := look.unanswered(x):
            return nothing
    if any(reasoning.is_shown(x) for x in xs.values()):
        marked = any(reasoning.mark(answer.content) for x in xs.values() for answer in chat.answers(x).values())
        got = "it stands in the content" if marked else "it is counted, and not shown"
        return refusal("thought", expected="a field of its own", got=got, optional=True)
    return no_evidence("thought", expected="some", got="none")


def _unthought(x: Exchange, plain: Exchange | None) -> bool:
    """Whether a stream without thought has too few tokens for the one that the plain answer tells: then none was lost.

    What a model thinks about is its own choice.
    """
    if plain is None or reasoning.is_shown(x):
        return False
    tokens, whole = chat.completion_tokens(x), chat.completion_tokens(plain)
    return None not in (tokens, whole) and (tokens or 0) < (whole or 0) - reasoning.spent(plain) / 2


def _streams(xs: Mapping[str, Exchange]) -> Iterator[tuple[str, Exchange]]:
    """The streams that no small cap cuts."""
    return ((name, x) for name, x in xs.items() if chat.asks_for_stream(x) and not name.startswith("cut"))


def _effective(xs: Mapping[str, Exchange]) -> list[str]:
    """The switches after which there is an answer, and no thought."""
    answered = {name: x for name, x in xs.items() if not refused(x) and not reasoning.is_shown(x)}
    return [name for name, x in answered.items() if any(a.content.strip() for a in chat.answers(x).values())]


def _read_again(xs: Mapping[str, Exchange]) -> dict[str, str]:
    """By how many tokens a prompt grows with the thought sent back: 0 where the server drops it."""
    base = _prompt(xs.get("without"))
    grown = {name: _prompt(xs.get(name)) for name in reasoning.FIELDS}
    return {
        f"{name} sent back": f"{n - base:+} tokens" for name, n in grown.items() if n is not None and base is not None
    }


def _prompt(x: Exchange | None) -> int | None:
    return None if x is None else fields.integer(fields.mapping(chat.usage(x)).get("prompt_tokens"))


def _allowed(x: Exchange) -> int:
    """The budget that a request names."""
    asked = fields.mapping(x.request_json)
    return next((n for name in BUDGETS if (n := fields.integer(asked.get(name))) is not None), 0)
