"""``python -m tests.pairs [PART...]``: real servers of which it is known whether they differ, decided about.

``chatml``: the embedded model by ChatML, which it never learnt, beside its plain template. ``kv``: llama-server with
its cache in q4_0 beside f16, under ``--same``. ``aa``: the embedded server beside its like, as often as ``--times``
says. Each comparison is that of ``pytest suites/behaviour`` and is decided again by ``seatrial compare``. Exit 1:
something is not as it should be, or a server is not here. Exit 4: wrong usage.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from tests.faults.processes import TrialError
from tests.pairs import page, parts
from tests.pairs.compared import Came, NotDecided, compare, standing
from tests.pairs.parts import OPTIONS, PAIRS, Shown

PAGE = Path(__file__).parents[2] / "docs" / "pairs.md"
BUDGETS_S = {"chatml": 90, "kv": 150, "aa": 30}
TRIES = (1, 2)
"""Times the budget: where it had no room for any probe of one of the two, nothing was compared, and it is doubled."""


class Words(argparse.ArgumentParser):
    """A command line of which what is wrong ends with 4."""

    def error(self, message: str) -> NoReturn:
        self.exit(4, f"ERROR: {message}\n")


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = Words(prog="python -m tests.pairs", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PAIRS)} (default: all)")
    parser.add_argument("--times", type=int, default=20, help="comparisons of a server with its like (default 20)")
    parser.add_argument("--budget", type=int, metavar="S", help="that of pytest, in seconds, for each endpoint; twice "
                        f"that where it had no room (default: {BUDGETS_S})")  # fmt: skip
    parser.add_argument("--keep", type=Path, help="keep the records in this folder; one that is there already is read, "
                        "and not made again")  # fmt: skip
    parser.add_argument("--page", action="store_true", help="write docs/pairs.md")
    found = parser.parse_args(arguments)
    if unknown := [each for each in found.parts if each not in PAIRS]:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(PAIRS)}")
    if found.times < 1:
        parser.error(f"--times={found.times} compares nothing")
    found.parts = found.parts or list(PAIRS)
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    asked = options(arguments)
    with tempfile.TemporaryDirectory(prefix="pairs-") as scratch:
        root = (asked.keep or Path(scratch)).absolute()
        root.mkdir(parents=True, exist_ok=True)
        told = [_part(name, root, asked) for name in asked.parts]
    text = page.markdown(told)
    print(text)
    if asked.page:
        PAGE.write_text(text, "utf-8", "backslashreplace")
    return 0 if all(shown.holds for part in told for shown in part.shown) else 1


def _part(name: str, root: Path, asked: argparse.Namespace) -> page.Part:
    """All comparisons of a part, and what has to be so of them."""
    budget = asked.budget or BUDGETS_S[name]
    came: list[Came] = []
    wrong: list[Shown] = []
    with ExitStack() as stack:
        urls = functools.cache(lambda: stack.enter_context(standing(root, PAIRS[name])))
        for seed in range(1, (asked.times if name == "aa" else 1) + 1):
            made = _one(name, root / f"{name}-{seed}", urls, budget, seed)
            if isinstance(made, Came):
                came.append(made)
            else:
                wrong.append(made)
    return page.Part(name, f"{budget}s", came, [*wrong, *_shown(name, came)])


def _one(name: str, folder: Path, urls: Callable[[], dict[str, str]], budget_s: int, seed: int) -> Came | Shown:
    """One comparison; or why nothing came of it."""
    said = ""
    for times in TRIES:
        try:
            made = compare(folder, urls, *OPTIONS[name], f"--budget={times * budget_s}s", seed=seed)
        except (NotDecided, TrialError) as error:
            said = f"seed {seed}: {error}"
        else:
            said = f"{name} {seed}: {_short(made)}"
            if any(row.n for row in made.rows) or times == TRIES[-1]:
                _say(said)
                return made
        _say(f"{said}; {'once more with twice the budget' if times != TRIES[-1] else 'given up'}")
        shutil.rmtree(folder, ignore_errors=True)
    return Shown(False, said)


def _shown(name: str, came: list[Came]) -> Iterator[Shown]:
    if name == "aa":
        yield from parts.aa(came)
    elif came:
        yield from {"chatml": parts.chatml, "kv": parts.kv}[name](came[0])


def _short(came: Came) -> str:
    named = "; ".join(came.named()) or "no difference"
    return f"{came.decision.cut}; {sum(row.n for row in came.rows)} pairs of {len(came.rows)} probes; {named}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell has what it starts beside itself ignore the first
        signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nended; nothing is left running", file=sys.stderr)
        sys.exit(130)
