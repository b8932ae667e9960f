"""The pages that are made from the code: ``python -m tests.pages`` makes them all again, as ``tox -e pages`` does."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from seatrial.checks import catalogue
from seatrial.cli.app import schema
from seatrial.records import Nightly
from seatrial.stops.telling import page
from tests import requirements
from tests.behaviour import page as page_of_probes
from tests.clients import page as page_of_clients

ROOT = Path(__file__).parents[1]
FAMILY = "## Family of a stop (`records.Family`)\n\n"
"""The heading of the glossary under which the table of families stands."""


def pages() -> dict[str, bytes]:
    """Each page by its path, as it should be."""
    before, _, after = (ROOT / "docs" / "words.md").read_text("utf-8").partition(FAMILY)
    assert after, f"docs/words.md has no heading {FAMILY.strip()}"
    words = f"{before}{FAMILY}{page.glossary()}\n\n## {after.partition(chr(10) + '## ')[2]}"
    return {"docs/words.md": words.encode(), **_of_code()}


@cache
def _of_code() -> dict[str, bytes]:
    """The pages of which no part is written by hand: made once, for that takes half a minute."""
    return {
        "docs/behaviour.md": page_of_probes.markdown().encode(),
        "docs/cases.md": requirements.markdown().encode(),
        "docs/clients.md": page_of_clients.markdown().encode(),
        "docs/families.md": page.markdown().encode(),
        "docs/rules.md": catalogue.markdown().encode(),
        "src/seatrial/latest.schema.json": schema(Nightly),
        "src/seatrial/verdict.schema.json": schema(),
    }


def stale() -> list[str]:
    """The pages that are not as they should be."""
    return [path for path, made in pages().items() if not (ROOT / path).exists() or (ROOT / path).read_bytes() != made]


def main() -> None:
    """Make those again that are stale, and say which."""
    for path in stale():
        (ROOT / path).write_bytes(pages()[path])
        sys.stdout.write(f"made again: {path}\n")


if __name__ == "__main__":
    main()
