"""``python -m tests.endings [NAME...]``: act out the named endings, or all; exit 1 when one is not as it should be."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.endings.endings import ENDINGS, tried


def main(names: list[str]) -> int:
    """A line an ending: what ended it, and the verdict."""
    unknown = [name for name in names if name not in ENDINGS]
    if unknown:
        print(f"no ending is called {', '.join(unknown)}; there are: {', '.join(ENDINGS)}")
        return 4
    bad = 0
    for name in names or ENDINGS:
        with tempfile.TemporaryDirectory(prefix="endings-") as folder:
            begun = time.monotonic()
            try:
                found, wrong = tried(name, Path(folder))
            except AssertionError as error:
                print(f"{name:22} {error}", flush=True)
                bad += 1
                continue
            took, verdict = time.monotonic() - begun, found.judged.verdict.endpoints[found.name].verdict
            print(f"{name:22} exit {found.code:3}  {verdict:10}  ran {found.ran}; {took:.0f} s", flush=True)
            for text in wrong:
                print(f"{'':22} WRONG: {text}", flush=True)
            bad += bool(wrong)
    print(f"{len(names or ENDINGS) - bad} of {len(names or ENDINGS)} endings are as they should be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
