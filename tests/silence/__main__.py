"""``python -m tests.silence``: the suite judges servers whose faults are known, and then each rule is silenced.

Exit 0: the honest servers are left alone, every listed fault is caught by the rule named for it, and no rule can fall
silent unnoticed. Exit 1 names what is missed.
"""

from __future__ import annotations

import sys
import time

from tests.silence.verdict import hold


def main() -> int:
    began = time.monotonic()
    verdict = hold()
    print("\n".join(verdict.table()))
    print(f"{time.monotonic() - began:.0f} s")
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
