"""Items and cases made for the tests of comparing."""

from seatrial.comparing.decision import Side
from seatrial.records import ItemOutcome, ItemWord, Judged, Outcome, Party, Ready

LOOPS = "loops/answers-do-not-loop"
ROLES = "roles/memory-over-turns"


def item(number, word=ItemWord.GOOD, *, probe=LOOPS, endpoint="A", family="", seed=0, **more):
    return ItemOutcome(
        probe=probe,
        item=f"short-{number:03d}",
        family=family or f"f{number % 12}",
        seed=seed,
        endpoint=endpoint,
        word=word,
        exchanges=(f"main-{endpoint}-{number}",),
        **more,
    )


def items_of(good, bad=0, *, first=0, **more):
    """So many good ones, then so many bad ones."""
    words = [ItemWord.GOOD] * good + [ItemWord.BAD] * bad
    return tuple(item(first + number, word, **more) for number, word in enumerate(words))


def case(items, *, rule=LOOPS, outcome=Outcome.PASS, endpoint="A", level="MUST", scenario="answers", **more):
    name = f"{rule}[{scenario}]@{endpoint}"
    return Judged(
        case=name, endpoint=endpoint, rule=rule, scenario=scenario, suite="behaviour", outcome=outcome, level=level,
        items=tuple(items), **more,
    )  # fmt: skip


def side(name, *cases, verdict=Ready.READY, load="run", **more):
    told = {"url": f"http://127.0.0.1:80/{name}/v1", "model": f"model-{name}", "told": {"server": "llama.cpp b1"}}
    return Side(Party(name=name, run="run", verdict=verdict, **told, **more), cases, load)
