"""The traffic of a soak: parts by weight, each of a kind that ``load/users`` knows to make. All of it is seeded.

A file of traffic holds tables ``[[part]]``::

    invalid_every = "5m"    # a request that must be refused, and a look after it; default: never

    [[part]]
    kind = "agent"          # a word of Kind
    weight = 3              # default: 1
    name = "coder"          # default: the kind; no two alike
    prompt = [50, 400]      # words of what is asked, from and to
    answer = [32, 512]      # tokens it is capped at, from and to
    system = 1500           # of an agent: words of its system prompt
    tools = 12              # of an agent: how many
    turns = 8               # of an agent: how long a conversation grows
    thinks = true           # of an agent: thinking is asked for
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

import msgspec

from seatrial.given import tables, words
from seatrial.given.errors import ConfigError
from seatrial.text import shorten

Kind = Literal["chat", "agent", "structured", "long", "embeddings", "cancel"]
KINDS: tuple[Kind, ...] = get_args(Kind)

RESERVED = frozenset({"canary", "invalid", "look", "fill"})
"""What rows call traffic that no part sends."""

PAGES = files("seatrial.given").joinpath("workloads")
OF_AN_AGENT = ("system", "tools", "turns", "thinks")
MOST_WORDS, MOST_TOKENS = 200_000, 1_000_000
LEAST_S = 1.0
"""Between two requests that must be refused: more of them would be a load of their own."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")


class TrafficPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[part]]``. A range that is not given is the kind's own."""

    kind: Kind
    weight: float = 1.0
    name: str = ""
    prompt: tuple[int, int] | None = None
    answer: tuple[int, int] | None = None
    system: int | None = None
    tools: int | None = None
    turns: int | None = None
    thinks: bool | None = None

    @property
    def called(self) -> str:
        """What its rows call it."""
        return self.name or self.kind


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    part: tuple[TrafficPart, ...] = ()
    invalid_every: str | None = None


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a traffic; ``invalid_s``: seconds between two requests that must be refused, None: none is sent."""

    name: str
    parts: tuple[TrafficPart, ...]
    invalid_s: float | None = None

    def told(self) -> str:
        """The traffic in a few words: ``mixed: chat 60 %, agent 40 %``."""
        total = sum(part.weight for part in self.parts)
        return f"{self.name}: " + ", ".join(f"{p.called} {100 * p.weight / total:.0f} %" for p in self.parts)


def known() -> tuple[str, ...]:
    """The names of the workloads that are shipped."""
    return tuple(sorted(page.name.removesuffix(".toml") for page in PAGES.iterdir() if page.name.endswith(".toml")))


def usual(phases: int) -> str:
    """The name of the traffic of a soak of so many phases, where nobody named one."""
    return "short" if phases == 1 else "chat"


def named(text: str) -> Workload:
    """A workload that is shipped, by its name, or one of a file.

    Raises:
        ConfigError: neither; or with file, line and key, what is wrong in it.
    """
    if text in known():
        return read(Path(str(PAGES.joinpath(f"{text}.toml"))), text)
    path = Path(text)
    if not words.is_file(path):
        raise ConfigError(f"--workload={shorten(text, 200)}: no such file; shipped are {', '.join(known())}")
    return read(path, _slug(path.stem))


def read(path: Path, name: str) -> Workload:
    """Read a file of traffic.

    Raises:
        ConfigError: with file, line and key.
    """
    content = tables.content(path)
    file = tables.parse(content, path, _File)
    text, where = content.decode(), tables.shown(path)
    if not file.part:
        raise ConfigError(f"{where}: no [[part]] in it; each says its kind: {', '.join(KINDS)}")
    seen: set[str] = set()
    for index, part in enumerate(file.part):
        for key, why in _wrong(part, seen):
            raise ConfigError(f"{where} line {tables.line_of(text, 'part', index, key)}: {key}: {why}")
        seen.add(part.called)
    invalid = None
    if file.invalid_every is not None:
        try:
            invalid = words.duration("invalid_every", file.invalid_every)
            if invalid < LEAST_S:
                raise ConfigError(f"invalid_every={file.invalid_every} would be a load of its own; 1s at least")
        except ConfigError as error:
            raise ConfigError(f"{where} line {tables.line_of(text, 'invalid_every')}: {error}") from error
    return Workload(name=name, parts=file.part, invalid_s=invalid)


def _wrong(part: TrafficPart, seen: set[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with a part: the key, and why."""
    if part.called in seen:
        yield "name" if part.name else "kind", f"{part.called} is there already; give this part another name"
    if not _NAME.fullmatch(part.called) or part.called in RESERVED:
        yield "name", f"up to 24 small letters, digits and dashes, and none of {', '.join(sorted(RESERVED))}"
    if not 0 < part.weight < 1e6:
        yield "weight", "more than 0"
    for key, most, unit in (("prompt", MOST_WORDS, "words"), ("answer", MOST_TOKENS, "tokens")):
        span = getattr(part, key)
        if span is not None and not 1 <= span[0] <= span[1] <= most:
            yield key, f"from and to, in {unit}: 1 to {most}"
    if part.kind == "embeddings" and part.answer is not None:
        yield "answer", "embeddings have no tokens"
    for key in OF_AN_AGENT:
        value = getattr(part, key)
        if value is not None and part.kind != "agent":
            yield key, "only of an agent"
        elif value is not None and not 0 <= value <= MOST_WORDS:
            yield key, f"0 to {MOST_WORDS}"
    if part.turns == 0:
        yield "turns", "at least 1"


def _slug(stem: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:24] or "own"
