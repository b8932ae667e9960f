"""Something else where a file or a folder was, and what another run, an editor or a stranger leaves there."""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
from pathlib import Path

from tests.trials.verdicts.damages.table import Foreign, Table, a_file, files_of, lines_of

damage = Table()
WRITERS = 300
"""Folders of writers where there are too many: more where the trial is long."""


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
