"""``python -m tests.opinions [--items 120] [--model 24] [--page]``: our verifiers, and others on the same outputs.

Outputs that are made (right, near misses, hostile), and those of a run of the embedded server. Every disagreement has
to have a reason that is known. ``--page`` writes docs/opinions.md. Exit 1: one has none. Exit 4: what holds the second
opinion is not installed (``tox -e opinions`` does that).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from seatrial.text import visible
from tests.opinions import corpus, ifeval, model, validator
from tests.opinions.explained import EXPLAINED
from tests.opinions.heard import Heard, hear
from tests.opinions.opinion import Opinions

PAGE = Path(__file__).parents[2] / "docs" / "opinions.md"
AREAS = {
    "instructions": "B5, what an answer is told to be: the verifiers of IFEval (if-verifiable 0.1.2)",
    "language": "B8, the language of an answer: IFEval's, which asks langdetect",
    "json": "B6, JSON of a schema that is shown: Python's json and jsonschema",
    "calls": "B7, calls of tools: the Berkeley leaderboard's comparison, written from its description",
    "schemas": "values against schemas of 2020-12, in every rule on structured answers: jsonschema",
}
HEAD = """\
# Second opinions

Made by `tox -e opinions -- --page`: {items} items of each maker, {model} of each answered by the embedded model; do not
edit. Each output is judged by our verifier and by one that is not ours. Made ones are right, near misses of it, and
what a hostile server sends; *of the model* are those that a real one gave.

| what, and by whom | outputs | of the model | good to both | they agree | part, explained | part, unexplained |
|---|---|---|---|---|---|---|"""


def lines(heard: Mapping[str, Heard], items: int, asked: int) -> Iterator[str]:
    """The lines of the page."""
    yield HEAD.format(items=items, model=asked)
    for area, told in heard.items():
        share = f"{100 * told.agreed / told.n:.1f} %" if told.n else "none"
        parted = sum(map(len, told.parted.values()))
        cells = (AREAS[area], told.n, told.by_how["model"], told.both_good, share, parted, len(told.unexplained))
        yield f"| {' | '.join(map(str, cells))} |"
    yield "\n## Where they part\n\n| what | ours | the other | how often | of the model | why | an example |"
    yield "|---|---|---|---|---|---|---|"
    for area, told in heard.items():
        for place, parted in sorted(told.parted.items()):
            yield from _row(area, parted, EXPLAINED[place].why)
        yield from chain.from_iterable(_row(area, [each], "NOT EXPLAINED") for each in told.unexplained[:20])
    if unheard := [f"{n} of {area}: {why}" for area, told in heard.items() for why, n in told.unheard.most_common()]:
        yield "\n## On which the other has no word\n"
        yield from (f"- {each}" for each in unheard)


def _row(area: str, parted: list[Opinions], why: str) -> Iterator[str]:
    kinds = ", ".join(sorted({each.output.kind for each in parted}))
    said = {False: "bad", True: "good"}
    ours, other = ("/".join(sorted({said[bool(each[at])] for each in parted})) for at in (1, 2))
    short = min(parted, key=lambda each: (len(repr(each.output.value)), len(repr(each.output.truth))))
    shown = [each for each in (short.output.truth, short.output.value, short.output.said) if each not in (None, "")]
    example = " ; ".join(visible(repr(each), 90) for each in shown).replace("|", "\\|").replace("`", "'")
    real = sum(each.output.how == "model" for each in parted)
    what = f"{area}: {kinds}" if area != "schemas" else area
    yield f"| {what} | {ours} | {other} | {len(parted)} | {real} | {why} | `{example}` |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.opinions", description=__doc__)
    parser.add_argument("--items", type=int, default=120, help="items of each maker, each with all its outputs")
    parser.add_argument("--model", type=int, default=24, help="items that the embedded model answers; 0: none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", action="store_true", help="write docs/opinions.md")
    options = parser.parse_args()
    if not (ifeval.is_here() and validator.is_here()):
        sys.stderr.write("ERROR: if-verifiable or jsonschema is not installed: tox -e opinions\n")
        return 4
    asked = model.outputs(options.model, options.seed) if options.model else iter(())
    heard = hear(chain(corpus.outputs(options.items, options.seed), asked), AREAS)
    page = "\n".join(lines(heard, options.items, options.model)) + "\n"
    print(page)
    if options.page:
        PAGE.write_text(page, "utf-8", "backslashreplace")
    return 1 if any(told.unexplained for told in heard.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
