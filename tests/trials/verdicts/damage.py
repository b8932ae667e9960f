"""Run directories as they are found after a bad disk, a bad copy, a bad editor or a bad stranger: a table of damages.

Each damage takes a copy of a whole run directory and a seeded draw, and says in a few words what it did. ``Foreign`` is
a whole run of somebody else, and a file outside that nobody may read.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECRET = "OUTSIDE-OF-THE-RUN"
WRITERS = 300
"""Folders of writers where there are too many: more where the trial is long."""
ABSURD: tuple[Any, ...] = (
    -1,
    0,
    10**18,
    -(10**30),
    10**400,
    1e300,
    "7",
    "",
    "\x1b]0;owned\x07",
    "a\u202eb",
    "\ud800",
    None,
    True,
    [],
    {},
    [[]],
    "../../etc/passwd",
    "x" * 5000,
    "9999-99-99T99:99:99Z",
)


@dataclass(frozen=True)
class Foreign:
    """What lies outside: another run, and a file with a secret."""

    run: Path
    secret: Path


Damage = Callable[[Path, random.Random, Foreign], str]
DAMAGES: dict[str, Damage] = {}


def damage(function: Damage) -> Damage:
    DAMAGES[function.__name__] = function
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


@damage
def gone(run: Path, draw: random.Random, _: Foreign) -> str:
    path = a_file(run, draw)
    path.unlink()
    return f"{path.name} is gone"


@damage
def empty(run: Path, draw: random.Random, _: Foreign) -> str:
    path = a_file(run, draw)
    path.write_bytes(b"")
    return f"{path.name} is empty"


@damage
def halved(run: Path, draw: random.Random, _: Foreign) -> str:
    path = a_file(run, draw)
    at = draw.randrange(path.stat().st_size)
    os.truncate(path, at)
    return f"{path.name} ends at {at}"


@damage
def halved_at_a_line(run: Path, draw: random.Random, _: Foreign) -> str:
    path = a_file(run, draw, ".jsonl")
    lines = lines_of(path)
    kept = draw.randrange(len(lines))
    path.write_bytes(b"".join(lines[:kept]))
    return f"{path.name}: {kept} of {len(lines)} lines"


@damage
def flipped(run: Path, draw: random.Random, _: Foreign) -> str:
    path = a_file(run, draw)
    content = bytearray(path.read_bytes())
    for _n in range(draw.choice((1, 1, 3, 20))):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)
    return f"{path.name}: bits"


@damage
def flipped_bytes(run: Path, draw: random.Random, _: Foreign) -> str:
    path = a_file(run, draw, "bytes.bin") if list(run.glob("writers/*/bytes.bin")) else a_file(run, draw)
    content = bytearray(path.read_bytes())
    for _n in range(draw.choice((1, 5, 200))):
        content[draw.randrange(len(content))] = draw.randrange(256)
    path.write_bytes(content)
    return f"{path.name}: bytes"


@damage
def lines_dropped(run: Path, draw: random.Random, _: Foreign) -> str:
    path = a_file(run, draw, ".jsonl")
    lines = lines_of(path)
    share = draw.choice((0.05, 0.5, 0.9))
    path.write_bytes(b"".join(line for line in lines if draw.random() > share))
    return f"{path.name}: lines dropped"


@damage
def lines_doubled(run: Path, draw: random.Random, _: Foreign) -> str:
    path = a_file(run, draw, ".jsonl")
    lines = lines_of(path)
    path.write_bytes(b"".join(line * draw.choice((1, 2, 3)) for line in lines))
    return f"{path.name}: lines doubled"


@damage
def lines_reordered(run: Path, draw: random.Random, _: Foreign) -> str:
    path = a_file(run, draw, ".jsonl")
    lines = lines_of(path)
    draw.shuffle(lines)
    path.write_bytes(b"".join(lines))
    return f"{path.name}: lines shuffled"


@damage
def garbage(run: Path, draw: random.Random, _: Foreign) -> str:
    path = a_file(run, draw)
    content = path.read_bytes()
    at = draw.randrange(len(content) + 1)
    rubbish = draw.choice(
        (
            draw.randbytes(300),
            b"\n" + b'{"a":' * 40_000 + b"\n",
            b"[" * 100_000,
            b"\xff\xfe\n",
            b"\0" * 5000,
            b'\n{"kind":"clock","t":' + b"9" * 5000 + b"}\n",
            b'\n{"kind":"of-tomorrow","v":9}\n',
        )
    )
    path.write_bytes(content[:at] + rubbish + content[at:])
    return f"{path.name}: {rubbish[:12]!r}"


@damage
def values(run: Path, draw: random.Random, _: Foreign) -> str:
    """A value of another type, or beyond all bounds, as somebody's script would write it."""
    path = a_file(run, draw, draw.choice((".jsonl", ".json", "")))
    compact = draw.random() < 0.5
    try:
        lines = [path.read_bytes()] if path.suffix == ".json" else lines_of(path)
        for _n in range(draw.choice((1, 4, len(lines)))):
            at = draw.randrange(len(lines))
            told = json.loads(lines[at])
            spoil(told, draw)
            separators = (",", ":") if compact else None
            lines[at] = json.dumps(told, separators=separators).replace("Infinity", "1e400").encode() + b"\n"
        path.write_bytes(b"".join(lines))
    except ValueError:
        return f"{path.name}: {flipped(run, draw, _)}"
    return f"{path.name}: values"


def spoil(told: Any, draw: random.Random) -> None:
    """Put an absurd value somewhere into what was decoded."""
    here = told
    while True:
        keys: list[Any] = list(here) if isinstance(here, dict) else list(range(len(here)))
        if not keys:
            return
        key = draw.choice(keys)
        if isinstance(here[key], dict | list) and here[key] and draw.random() < 0.7:
            here = here[key]
            continue
        if isinstance(here, dict) and draw.random() < 0.2:
            del here[key]
        else:
            here[key] = draw.choice(ABSURD)
        return


@damage
def spans(run: Path, draw: random.Random, _: Foreign) -> str:
    """Spans beyond the bytes, over each other, negative."""
    path = next(iter(run.glob("writers/*/exchanges.jsonl")), None)
    if path is None:
        return values(run, draw, _)
    span = draw.choice(("[10000000,5]", "[0,999999999999]", "[-5,20]", "[3,40]", "[0,9223372036854775807]", "[5,-3]"))
    text = path.read_text()
    path.write_text(re.sub(r'"response":\[\d+,\d+\]', f'"response":{span}', text, count=draw.choice((1, 5, 0))))
    return f"spans {span}"


@damage
def another_thing(run: Path, draw: random.Random, out: Foreign) -> str:
    """A pipe, a folder, a link, a socket, a device, a file without an end, in place of a file."""
    path = a_file(run, draw)
    kept = path.read_bytes()
    path.unlink()
    what = draw.choice(("pipe", "folder", "link", "circle", "nowhere", "socket", "zero", "full", "endless", "denied"))
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "socket":
        here = os.open(path.parent, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)
    elif what == "endless":
        path.write_bytes(kept)
        os.truncate(path, 100 * 10**9)
    elif what == "denied":
        path.write_bytes(kept)
        path.chmod(0)
    else:
        ends = {"link": str(out.secret), "circle": path.name, "nowhere": "/nowhere/at/all", "zero": "/dev/zero"}
        path.symlink_to(ends.get(what, "/dev/full"))
    return f"{path.name}: {what}"


@damage
def another_folder(run: Path, draw: random.Random, out: Foreign) -> str:
    """A folder that is gone, a file, or a link to the same of another run."""
    path = run / draw.choice(("writers", "watch", "endpoints", "load", "server", "watch/keeper"))
    if draw.random() < 0.4 and (below := [each for each in run.glob("writers/*") if each.is_dir()]):
        path = draw.choice(below)
    what = draw.choice(("gone", "file", "link", "moved"))
    name = path.relative_to(run)
    if what == "moved" and path.is_dir():
        path.rename(path.with_name("elsewhere-1"))
    elif path.is_dir():
        shutil.rmtree(path)
    if what == "file":
        path.write_bytes(b"x\n")
    elif what == "link":
        path.symlink_to(out.run / name if (out.run / name).exists() else out.run)
    return f"{name}: {what}"


@damage
def foreign(run: Path, draw: random.Random, out: Foreign) -> str:
    """Files of another run among those of this one, or in their place."""
    path = draw.choice([each for each in files_of(out.run) if each.name != "run.json"])
    name = path.relative_to(out.run)
    mine = run / name
    mine.parent.mkdir(parents=True, exist_ok=True)
    same = list(run.glob(f"{re.sub(r'-[0-9]+', '-*', str(name))}"))
    if same and draw.random() < 0.6:
        mine = same[0]
    if mine.is_file() and mine.suffix == ".jsonl" and draw.random() < 0.5:
        mine.write_bytes(mine.read_bytes() + path.read_bytes())
    else:
        shutil.copyfile(path, mine)
    return f"{name} of another run"


@damage
def no_plan(run: Path, draw: random.Random, _: Foreign) -> str:
    """No plan and half the judgements."""
    (run / "planned.jsonl").unlink(missing_ok=True)
    for path in run.glob("writers/*/judgements.jsonl"):
        lines = lines_of(path)
        path.write_bytes(b"".join(lines[: draw.randrange(len(lines))]))
    return "no plan, half the judgements"


@damage
def plan_and_judgements_halved(run: Path, draw: random.Random, _: Foreign) -> str:
    for path in (run / "planned.jsonl", *run.glob("writers/*/judgements.jsonl")):
        if path.is_file():
            lines = lines_of(path)
            path.write_bytes(b"".join(lines[: max(1, len(lines) // draw.choice((2, 3)))]))
    return "half the plan, half the judgements"


@damage
def names(run: Path, draw: random.Random, _: Foreign) -> str:
    """Names that would drive a terminal."""
    name = draw.choice((r"\u001b[2J\u001b]0;owned\u0007", r"a\u202eb\u2066", r"\u009b31m", r"\ud83d\ude00\u0000"))
    for path in files_of(run):
        if path.suffix in {".json", ".jsonl"} and draw.random() < 0.8:
            field = draw.choice(("endpoint", "name", "scenario", "case", "rule", "id"))
            text = path.read_text(errors="surrogateescape")
            text = re.sub(rf'("{field}": ?")[^"]*', lambda hit: hit[1] + name, text, count=draw.choice((1, 0)))
            path.write_text(text, errors="surrogateescape")
    return f"names {name}"


@damage
def crowd(run: Path, draw: random.Random, _: Foreign) -> str:
    """Very many writers, or folders within folders."""
    if draw.random() < 0.3:
        deep = run / "writers" / "/".join(["d"] * 200)
        deep.mkdir(parents=True)
        (deep / "exchanges.jsonl").write_bytes(b"{}\n")
        return "deep folders"
    some = next(iter(run.glob("writers/*/exchanges.jsonl")), None)
    content = some.read_bytes()[:2000] if some else b"{}\n"
    for n in range(WRITERS):
        folder = run / "writers" / f"gw{n}-{n}"
        folder.mkdir(parents=True)
        (folder / "exchanges.jsonl").write_bytes(content)
        (folder / "bytes.bin").write_bytes(b"")
    return f"{WRITERS} writers"


@damage
def waivers(run: Path, draw: random.Random, _: Foreign) -> str:
    path = run / "waivers.toml"
    what = draw.choice(("gone", "torn", "bytes", "other", "date", "nested"))
    old = path.read_bytes() if path.is_file() else b"[[waive]]\n"
    if what == "gone":
        path.unlink(missing_ok=True)
    else:
        text = {
            "torn": old[: len(old) // 2],
            "bytes": b"\xff\xfe" + old,
            "other": b'[[waive]]\ncase = "*"\n',
            "date": re.sub(rb"\d{4}-\d\d-\d\d", b"1999-01-01", old),
            "nested": b"a = " + b"[" * 20_000,
        }[what]
        path.write_bytes(text)
    return f"waivers {what}"
