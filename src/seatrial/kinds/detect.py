"""The kinds of server there are, found by walking this folder, and which of them answers.

A kind is a pair of files of one stem, ``K.py`` with its ``KIND`` and ``K.toml``. Nothing lists them.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Iterable

from seatrial.kinds import profile
from seatrial.kinds.kind import HEALTH, About, Clue, Heard, Kind

GENERIC = "generic"


@functools.cache
def found() -> dict[str, Kind]:
    """Every kind, by the stem of its files.

    Raises:
        ModuleNotFoundError: a ``K.toml`` has no ``K.py`` beside it.
        TypeError: a module has no ``KIND``.
    """
    kinds: dict[str, Kind] = {}
    for stem in sorted(path.stem for path in profile.FOLDER.glob("*.toml")):
        kind = getattr(importlib.import_module(f"seatrial.kinds.{stem}"), "KIND", None)
        if not isinstance(kind, Kind):
            raise TypeError(f"seatrial.kinds.{stem} has no KIND")
        kinds[stem] = kind
    return kinds


@functools.cache
def signs() -> tuple[tuple[Clue, Kind], ...]:
    """What the watch looks for, in its order, and the kind that each sign means."""
    known = [(kind.sign, kind) for kind in found().values() if kind.sign is not None]
    return tuple(sorted(known, key=lambda pair: pair[0].turn))


@functools.cache
def doors() -> tuple[tuple[Clue, Kind], ...]:
    """Kinds that say elsewhere than usual whether they are well, and their signs there, which cost nothing.

    They are looked for before the usual page is asked: of such a kind it may have a price.
    """
    return tuple((sign, kind) for sign, kind in signs() if kind.health == sign.path != HEALTH)


def meets(sign: Clue, status: int | None, heard: Heard) -> bool | None:
    """Whether a kind answers, by the page of its sign; None: the answer says nothing of who is there."""
    if status is None or status >= 500 or status == 429:
        return None
    return status == 200 and sign.meet(heard, "") is not None


def priced(heard: Heard) -> bool:
    """Whether an answer of ``/health`` shows, in the words of any kind, that models were called for it."""
    return any(kind.priced(heard) for kind in found().values())


def about(get: Callable[[str], bytes | None]) -> About:
    """What a server says of itself, on the first page that it has and a kind knows; nothing where it has none.

    Args:
        get: the body of a page at a path below the server's root; None: it is not answered with 200. Every kind's page
            is asked of every server, for many speak another's dialect.
    """
    for page in [kind.about for kind in found().values() if kind.about is not None]:
        body = get(page.path)
        told = page.read(body) if body is not None else None
        if told is not None:
            return told
    return About()


def named(owners: Iterable[object], about: About) -> str:
    """The kind as the suites and the record call it, by the ``owned_by`` of the listed models and the page."""
    told = list(owners)
    for name in profile.kinds():
        detect = profile.load(name).detect
        owned = any(owner in detect.owned_by for owner in told)
        if owned or (detect.build and about.keys.issuperset(detect.props) and re.match(detect.build, about.build)):
            return name
    return GENERIC
