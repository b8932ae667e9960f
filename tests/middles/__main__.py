"""``python -m tests.middles``: each middle is watched while it is idle, loaded, struck, and its backend too.

Exit 0: every strike was told once, at the right door, in an interval that holds it, and nothing else was said. Exit 1
says what was not, and which middle could not be had. Exit 4: wrong usage.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from tests.faults.processes import TrialError, halted
from tests.middles.middles import MIDDLES
from tests.middles.programs import NotTried, Programs
from tests.middles.scene import Deed, Stage, act, stage
from tests.middles.table import Tried, markdown
from tests.trials.tried import Wrong

PAGE = Path(__file__).parents[2] / "docs" / "middles.md"
_speaks = threading.Lock()


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.middles", description=__doc__)
    parser.add_argument("--only", default="", help=f"middles, with commas between: {', '.join(MIDDLES)} (default: all)")
    parser.add_argument("--deeds", default="", help=f"deeds, with commas between: {', '.join(Deed)} (default: all)")
    parser.add_argument("--seconds", type=float, default=120, help="each idle and each loaded watch (default 120)")
    parser.add_argument("--at-once", type=int, default=1, help="middles at the same time (default 1)")
    parser.add_argument("--backend", default="", help="llama-server or embedded (default: the first that is here)")
    parser.add_argument("--programs", type=Path, help="keep what is installed in this folder, and use it again")
    parser.add_argument("--keep", type=Path, help="keep the records below this folder")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--write", type=Path, help="write the page to this file (default: docs/middles.md after a "
                        "run of all)")  # fmt: skip
    found = parser.parse_args(arguments)
    for name, known in (("only", list(MIDDLES)), ("deeds", list(Deed))):
        asked = [each for each in getattr(found, name).split(",") if each]
        if unknown := [each for each in asked if each not in known]:
            parser.exit(4, f"ERROR: there is no {unknown[0]}; there are {', '.join(known)}\n")
        setattr(found, name, asked or known)
    if found.write is None and found.only == list(MIDDLES) and found.deeds == list(Deed):
        found.write = PAGE
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    asked = options(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    began = time.monotonic()
    found = run(asked)
    page = markdown(found, asked.seconds, time.monotonic() - began)
    print(page)
    if asked.write:
        asked.write.write_text(page, encoding="utf-8")
    return 1 if any(each.wrong for each in found) else 0


def run(asked: argparse.Namespace) -> list[Tried]:
    """Each middle that was asked for."""
    with tempfile.TemporaryDirectory(prefix="middles-", ignore_cleanup_errors=True) as scratch:
        programs = Programs((asked.programs or Path(scratch) / "programs").absolute())
        root = (asked.keep or Path(scratch) / "records").absolute()
        with ThreadPoolExecutor(asked.at_once) as pool:
            try:
                return list(pool.map(lambda name: _try(name, programs, root, asked), asked.only))
            except KeyboardInterrupt:
                halted.set()  # whoever waits in a thread ends what it has started
                pool.shutdown(cancel_futures=True)
                raise


def _try(name: str, programs: Programs, root: Path, asked: argparse.Namespace) -> Tried:
    """One middle, all deeds. After a deed that could not be carried out the rest begins anew."""
    tried = Tried(MIDDLES[name].title)
    left = [Deed(each) for each in asked.deeds]
    try:
        while left:
            folder = root / name / f"from-{left[0].replace(' ', '-')}"
            with stage(name, programs, folder, Random(f"{asked.seed} {name} {left[0]}"), asked.backend) as on:
                tried.version = on.middle.version
                while left and _acted(on, left.pop(0), asked.seconds, tried, name):
                    pass
    except NotTried as error:
        tried.not_tried = str(error)
    except (TrialError, OSError) as error:
        tried.trouble.append(f"could not be carried out: {str(error)[:400]}")
        _say(f"{name}: {tried.trouble[-1]}")
    return tried


def _acted(on: Stage, deed: Deed, seconds: float, tried: Tried, name: str) -> bool:
    """Whether a deed could be carried out; what is wrong is said at once."""
    if halted.is_set():
        raise TrialError("ended by hand")
    _say(f"{name}: {deed} ...")
    try:
        found = act(on, deed, seconds)
    except (Wrong, TrialError, OSError) as error:
        tried.trouble.append(f"{deed}: could not be carried out: {str(error)[:400]}")
        _say(f"{name}: {tried.trouble[-1]}")
        return False
    tried.accounts += found
    for each in found:
        _say(f"{name}: {deed}, {each.view}: {each.told}, exit {each.code}")
        for text in each.wrong:
            _say(f"{name}: WRONG: {text}")
    return True


def _say(text: str) -> None:
    with _speaks:
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nended; nothing is left running", file=sys.stderr)
        sys.exit(130)
