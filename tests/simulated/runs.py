"""Runs of the behaviour suite against the simulated model, by the thousand, without a server.

Each answer is built as an exchange and verified by its probe, once for each way to answer it; a run then draws, item by
item, which way it is answered, and the probe's own fold decides.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from itertools import islice
from random import Random
from typing import Any

from msgspec.structs import replace

from seatrial.behaviour import tally
from seatrial.behaviour.probe import RateProbe, probes
from seatrial.records import SECOND, Exchange, Expect, ItemOutcome, ItemWord
from seatrial.statistics.intervals import clopper_pearson
from tests.behaviour.specimens import said, streamed, to
from tests.simulated.mouths import Said, right
from tests.simulated.wrong import FAULTS

SEEDS = 4
"""Seeds of suites whose items are asked."""

CLEAN = ""


def exchange(name: str, answer: Said, seed: int) -> Exchange:
    """What was said to an item, as it would be recorded."""
    if answer.odds:
        return to(name, streamed(_first_token(answer)), seed)
    if not answer.calls:
        whole = said(answer.content, answer.finish)
        half, stall = len(whole.chunks) // 2, round(answer.stall_s * SECOND)
        chunks = (replace(each, at=each.at + stall) if n > half else each for n, each in enumerate(whole.chunks))
        return to(name, replace(whole, chunks=tuple(chunks)), seed)
    made = [
        {
            "index": i,
            "id": f"call_{i}",
            "type": "function",
            "function": {"name": tool, "arguments": json.dumps(arguments)},
        }
        for i, (tool, arguments) in enumerate(answer.calls)
    ]
    choice = {"index": 0, "delta": {"role": "assistant", "tool_calls": made}, "finish_reason": None}
    end = {"index": 0, "delta": {}, "finish_reason": answer.finish}
    return to(name, streamed({"choices": [choice]}, {"choices": [end]}), seed)


def _first_token(answer: Said) -> dict[str, Any]:
    """A chunk of one token, with what is told of it."""
    told = [{"token": token, "logprob": value} for token, value in answer.odds]
    entry = {**next(each for each in told if each["token"] == answer.content), "top_logprobs": told}
    delta = {"role": "assistant", "content": answer.content}
    choice = {"index": 0, "delta": delta, "finish_reason": answer.finish, "logprobs": {"content": [entry]}}
    return {"choices": [choice]}


@functools.cache
def verified(rule: str, number: int, seed: int, fault: str) -> ItemOutcome:
    """What a probe makes of the right answer to an item, or of one with a fault."""
    probe = probes()[rule]
    maker, draw = probe.maker, Random(f"{rule}/{number}/{seed}/{fault}")
    item = maker.item(seed, number)
    before = {}
    if probe.against is not None:
        n = probe.against(number)
        honest = right(maker.name, maker.item(seed, n), Random(f"{rule}/{n}/{seed}/"))
        before[maker.named(n)] = exchange(maker.named(n), honest, seed)
    spoilt = FAULTS[fault].say(item, draw) if fault else right(maker.name, item, draw)
    expect = Expect(model="golden", settings={"seed": seed})
    return tally.outcome_of(probe, maker, number, exchange(maker.named(number), spoilt, seed), expect, before)


def decided(probe: RateProbe, rate: float, draw: Random, faults: tuple[str, ...]) -> tuple[str, int]:
    """How the test of a probe ends on a model of which so many answers have one of these faults, and after how many."""
    seed, most = draw.randrange(SEEDS), round(probe.test.most / probe.share) + 8
    ways = ((n, draw.choice(faults) if draw.random() < rate else CLEAN) for n in range(most))
    read = ((n, way) for n, way in ways if own(probe, n))
    words = (verified(probe.rule.id, n, seed, way).word for n, way in read)
    wrong = (word is ItemWord.BAD for word in words if word in tally.READ)
    if probe.test.p0:
        come = probe.test.reached(wrong)
        return come.decision, come.n
    n = 0
    for n, bad in enumerate(islice(wrong, probe.test.most), start=1):  # all that is asked counts; one bad one decides
        if bad:
            return "rejected", n
    return "accepted" if n >= probe.test.fewest else "open", n


def own(probe: RateProbe, number: int) -> bool:
    """Whether a probe judges an item of its own maker."""
    return probe.maker.family(number) in probe.families and probe.reads(probe.maker, number)


def of(rule: str) -> tuple[str, ...]:
    """The faults of a probe."""
    return tuple(name for name, fault in FAULTS.items() if fault.rule == rule)


def failed_suites(runs: int, seed: int) -> int:
    """How many suites fail of a clean model: every rate is half of what is still good."""
    failed = 0
    for run in range(runs):
        draw = Random(f"{seed}/clean/{run}")
        words = [decided(p, p.test.p0 / 2, draw, of(rule))[0] for rule, p in probes().items()]
        failed += any(word != "accepted" for word in words)
    return failed


def found(rule: str, fault: str, rate: Callable[[RateProbe], float], runs: int, seed: int) -> tuple[int, float]:
    """In how many runs a fault at a rate is found, and after how many answers on average."""
    probe, hits, size = probes()[rule], 0, 0
    for run in range(runs):
        word, n = decided(probe, rate(probe), Random(f"{seed}/{rule}/{fault}/{run}"), (fault,))
        hits, size = hits + (word == "rejected"), size + n
    return hits, size / runs


def upper(k: int, n: int) -> float:
    """The upper end of the exact 95 % interval."""
    return clopper_pearson(k, n)[1]
