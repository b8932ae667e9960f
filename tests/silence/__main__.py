"""``python -m tests.silence [RULE ...]``: the suite judges servers whose faults are known; then each rule is silenced.

Exit 0: the honest servers are left alone, every listed fault is caught by the rule named for it, and no rule can fall
silent unnoticed. Exit 1 names what is missed. Rules that are named are put on trial alone.
"""

from __future__ import annotations

import sys
import time

from tests.silence.trial import RULES
from tests.silence.verdict import hold


def main() -> int:
    began = time.monotonic()
    names = sys.argv[1:]
    if {"-h", "--help"} & set(names):
        print(__doc__)
        return 0
    if unknown := [name for name in names if name not in RULES]:
        print(f"ERROR: no rule is called {unknown[0]}; seatrial cases lists them", file=sys.stderr)
        return 4
    verdict = hold(*names)
    print("\n".join(verdict.table()))
    print(f"{time.monotonic() - began:.0f} s")
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
