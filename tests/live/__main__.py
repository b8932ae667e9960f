"""``python -m tests.live [NAME ...]``: sail the named proofs, or all; exit 1 when one is not as it should be.

``--at-once N`` of them together (2), ``--minutes M`` each (12); ``--page`` writes their lines of ``docs/live.md``;
``--keep DIR`` keeps what they leave. Where the machine was too busy for a load to do its own work, what was measured is
*unclear*, and the exit code 10 unless another proof is wrong: fewer at once may help. What the record itself proves
stands all the same.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.live import page
from tests.live.proofs import PROOFS
from tests.live.sailing import Found, Seen, held_against, sail

LEAST_MINUTES, MOST_MINUTES = 2.0, 60.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.live", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROOFS))
    parser.add_argument("--at-once", type=int, default=2, metavar="N")
    parser.add_argument("--minutes", type=float, default=12.0, metavar="M")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="DIR")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in PROOFS]
    if unknown or given.at_once < 1 or not LEAST_MINUTES <= given.minutes <= MOST_MINUTES:
        print(f"no proof is called {', '.join(unknown)}; there are: {', '.join(PROOFS)}" if unknown else
              f"--at-once: 1 or more; --minutes: {LEAST_MINUTES:g} to {MOST_MINUTES:g}")  # fmt: skip
        return 4
    names = given.names or list(PROOFS)
    bad = unclear = 0
    with _folder(given.keep) as folder, ThreadPoolExecutor(given.at_once) as pool:
        under_way = {pool.submit(_sailed, name, folder / name, given.minutes): name for name in names}
        for future in as_completed(under_way):
            name = under_way[future]
            try:
                seen, found = future.result()
            except AssertionError as error:
                print(f"{name:14} WRONG: {error}", flush=True)
                bad += 1
                continue
            proof = PROOFS[name]
            line = page.line(proof, seen, found, given.minutes)
            print(f"{name:14} {line}", flush=True)
            shows = proof.proven or not found.unclear
            bad += bool(found.wrong) and shows
            unclear += not shows
            if given.page and shows:
                page.write(line)
    print(f"{len(names) - bad - unclear} of {len(names)} are as they should be, {unclear} unclear")
    return 1 if bad else 10 if unclear else 0


def _sailed(name: str, folder: Path, minutes: float) -> tuple[Seen, Found]:
    folder.mkdir(parents=True)
    seen = sail(PROOFS[name], folder, minutes)
    return seen, held_against(PROOFS[name], seen)


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
