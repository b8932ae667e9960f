"""How tokens are drawn: temperature, seed, nucleus, penalties, bias. Texts of one prompt are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes
from seatrial.checks.areas.params.parts import (
    BIASED,
    FREQUENCY,
    PRESENCE,
    SAMPLED,
    SEEDED,
    TOP_P_ZERO,
    named,
    text,
)
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten

VARIES = "params/high-temperature-varies"
TINY = "params/tiny-top-p-is-greedy"


@rule(row="p/4", level=Level.SHOULD, of=SAMPLED, source="OpenAPI document, temperature: lower is more deterministic")
def temperature_zero_repeats_itself(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """At temperature 0 the same request gets the same answer."""
    said = named(xs, "greedy")
    if len(said) < 2:
        yield _too_few("greedy", said)
    elif len(set(said)) > 1:
        so = "a client's tests and caches never see the same answer twice"
        ignored = "temperature" if len(set(said)) == len(said) > 2 else ""
        got = f"{len(set(said))} different ones of {len(said)}: {_two(said)}"
        yield violation("content", expected="one answer", got=got, so=so, about="greedy", ignores=ignored)


@rule(row="p/5", level=Level.SHOULD, of=SAMPLED, source="OpenAPI document, temperature: higher is more random")
def high_temperature_varies(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """At temperature 2 an answer is another one than at 0, or than the one before."""
    greedy, hot = named(xs, "greedy"), named(xs, "hot")
    if len(hot) < 2 or not greedy:
        yield _too_few("hot", hot)
    elif len({*greedy, *hot}) == 1:
        so = "a client that asks for variety gets the same words each time"
        got = f"{len(hot)} times what temperature 0 gives: {shorten(hot[0], 80)}"
        yield violation("content", expected="several answers", got=got, so=so, about="hot-1", ignores="temperature")


@rule(
    row="p/8",
    part="a tiny one",
    level=Level.SHOULD,
    of=SAMPLED,
    source="OpenAPI document, top_p: nucleus sampling",
)
def tiny_top_p_is_greedy(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A top_p that leaves one token to draw from gives one answer, however high the temperature."""
    narrow, hot = named(xs, "narrow"), named(xs, "hot")
    if len(narrow) < 2 or len(hot) < 2:
        yield _too_few("narrow", narrow)
    elif len({*narrow, *hot, *named(xs, "greedy")}) == 1:
        got = "one answer, with and without"
        yield no_evidence("content", expected="answers that vary without top_p", got=got, causes=(VARIES,))
    elif len(set(narrow)) > 1:
        so = "a client that narrows the choice of words gets any words"
        yield violation("content", expected="one answer", got=_two(narrow), so=so, about="narrow-1", ignores="top_p")


@rule(
    row="p/8",
    part="zero",
    level=Level.SHOULD,
    of=TOP_P_ZERO,
    source="OpenAPI document, top_p: minimum 0; llama.cpp keeps one token of any top_p",
)
def top_p_zero_is_greedy(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A top_p of 0 leaves the likeliest token alone: it is no top_p that was left out."""
    said = [words for x in xs.values() if (words := text(x)).strip()]
    if len(said) < 2:
        yield _too_few("top_p 0", said)
    elif len(set(said)) > 1:
        so = "a client that wants the likeliest words gets any words"
        judges = (TINY + causes.SOME,)
        yield violation("content", expected="one answer", got=_two(said), so=so, ignores="top_p", causes=judges)


@rule(
    row="p/28",
    level=Level.MAY,
    of=SAMPLED,
    source="OpenAPI document, temperature: default 1; llama.cpp: 0.8; vLLM: generation_config.json",
    figures=lambda xs, _expect: {"sampling by default": _default(xs)},
)
def answers_are_drawn_by_default(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A request that says nothing of sampling is drawn, as the default temperature of 1 has it."""
    said, greedy = named(xs, "default"), named(xs, "greedy")
    if not said or not greedy:
        yield _too_few("default", said)
    elif len({*greedy, *named(xs, "hot")}) == 1:
        got = "one answer at temperature 2 and at 0"
        yield no_evidence("content", expected="answers that vary by temperature", got=got, causes=(VARIES,))
    elif len({*said, *greedy}) == 1:
        so = "a client that leaves the temperature out gets no variety"
        got = f"what temperature 0 gives, {len(said)} times"
        yield violation("content", expected="an answer that is drawn", got=got, so=so, about="default-1")


@rule(
    row="p/7",
    level=Level.SHOULD,
    of=SEEDED,
    optional=True,
    source="OpenAPI document, seed: the same seed should return the same result; llama.cpp 7381",
)
def seed_repeats_and_another_differs(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A seed, 0 too, gives the same answer again, another one another; or the request is refused.

    The document promises best effort: one answer of three may stray. That none repeats shows that nobody tried.
    """
    same, other, free = named(xs, "same"), named(xs, "other"), named(xs, "free")
    if len(same) < 3 or not other or len(free) < 2:
        yield _too_few("same", same)
    elif len(set(same)) == len(same):
        so = "a client that wants to see an answer again never does"
        got = f"{len(same)} different ones: {_two(same)}"
        yield violation("content", expected="one answer", got=got, so=so, grave=True, about="same-1", ignores="seed")
    elif {*other} <= {*same} and len({*free, *same}) > 1:
        so = "a client that draws again, with another seed, gets the same answer"
        got = f"the same, and without a seed another: {_two([*other, *free])}"
        yield violation("content", expected="another answer", got=got, so=so, grave=True, about="other", ignores="seed")
    elif len(set(same)) == 1 and len(set(zero := named(xs, "zero"))) > 1:
        so = "a client whose seed is 0 never sees an answer again, and is told nothing"
        got = f"{len(zero)} different ones, where another seed gives one: {_two(zero)}"
        yield violation("content of seed 0", expected="one answer", got=got, so=so, about="zero-1")
    elif len({*same, *other, *free}) == 1:
        yield no_evidence(
            "content", expected="answers that vary", got=f"one: {shorten(same[0], 80)}", causes=(VARIES + "[*]",)
        )


@rule(row="p/19", part="frequency_penalty", level=Level.SHOULD, of=FREQUENCY, optional=True, source="OpenAPI document")
def frequency_penalty_shows(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The highest frequency_penalty gives another greedy answer than the lowest; or the request is refused."""
    yield from _unmoved(xs, "frequency_penalty")


@rule(row="p/19", part="presence_penalty", level=Level.SHOULD, of=PRESENCE, optional=True, source="OpenAPI document")
def presence_penalty_shows(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The highest presence_penalty gives another greedy answer than the lowest; or the request is refused."""
    yield from _unmoved(xs, "presence_penalty")


@rule(
    row="p/18",
    level=Level.SHOULD,
    of=BIASED,
    optional=True,
    source="OpenAPI document, logit_bias: 100 is exclusive selection; Ollama 3795 ignores it",
)
def logit_bias_forces(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A bias of 100 makes a token the only one, another token another; or the request is refused."""
    said = {name: text(x) for name, x in xs.items()}
    if not said.get("free") or not {"one", "another"} <= said.keys():
        yield _too_few("free", [])
    elif said["free"] == said["one"] == said["another"]:
        so = "a client that bans words, or allows yes and no alone, gets any words"
        got = f"what is said without: {shorten(said['free'], 80)}"
        yield violation(
            "content", expected="another answer", got=got, so=so, grave=True, about="one", ignores="logit_bias"
        )
    elif said["free"] in (said["one"], said["another"]):
        about = "one" if said["free"] == said["one"] else "another"
        yield violation("content", expected="the token alone", got=said[about], about=about)


def _unmoved(xs: Mapping[str, Exchange], key: str) -> Iterator[Finding]:
    """A finding where both answers are one; where but one of them says anything they are two."""
    more, less = (text(xs[name]) if name in xs else "" for name in ("more", "less"))
    if not more.strip() and not less.strip():
        yield no_evidence("content", expected="an answer with text", got=f"none, of {len(xs)}")
    elif more == less:
        so = "a client that fights repetition gets it all the same"
        got = f"one, at 2 and at -2: {shorten(more, 80)}"
        yield violation("content", expected="two answers", got=got, so=so, about="more", ignores=key)


def _default(xs: Mapping[str, Exchange]) -> str:
    said, greedy = named(xs, "default"), named(xs, "greedy")
    if not said or not greedy:
        return "not seen"
    return "greedy, or as good as that" if {*said} <= {*greedy} else "drawn"


def _too_few(name: str, said: list[str]) -> Finding:
    return no_evidence(f"{name}: content", expected="answers with text", got=f"{len(said)} of them")


def _two(said: list[str]) -> str:
    """The first two that differ."""
    return " | ".join(shorten(each, 60) for each in list(dict.fromkeys(said))[:2])
