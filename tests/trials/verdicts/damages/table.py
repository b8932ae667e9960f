"""What a damage is, and what damages are made of: the files of a run, and what lies outside of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SECRET = "OUTSIDE-OF-THE-RUN"


@dataclass(frozen=True)
class Foreign:
    """What lies outside: another run, and a file with a secret."""

    run: Path
    secret: Path


Damage = Callable[[Path, random.Random, Foreign], str]


class Table(dict[str, Damage]):
    """Damages by their names, in their order. A decorator: it enters one."""

    def __call__(self, function: Damage) -> Damage:
        self[function.__name__] = function
        return function


def files_of(run: Path) -> list[Path]:
    """What a judge may read of a run."""
    kept = ("run.json", "planned.jsonl", "waivers.toml", "verdict.json")
    found = [run / name for name in kept if (run / name).is_file()]
    for folder in ("endpoints", "writers", "watch", "load", "server"):
        found += [path for path in sorted((run / folder).rglob("*")) if path.is_file()]
    return [path for path in found if path.stat().st_size]


def a_file(run: Path, draw: random.Random, suffix: str = "") -> Path:
    """One of its files; run.json, without which there is no run, not as often as the others."""
    found = [path for path in files_of(run) if path.name.endswith(suffix)]
    return draw.choice(found + [path for path in found if path.name != "run.json"] * 4)


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)
