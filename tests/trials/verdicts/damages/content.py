"""Files that hold something else than was written: cut, flipped, doubled, out of order, beyond all bounds."""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path
from typing import Any

from tests.trials.verdicts.damages.table import Foreign, Table, a_file, lines_of

damage = Table()
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
        among = here if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ()
        keys: list[Any] = list(among)  # none where a damage before has left a number or a text
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
