"""The lines of a run as those read them who judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import attrgetter, or_
from types import ModuleType
from typing import Any, TypeVar, cast, overload

from seatrial.records import lines, soaks
from seatrial.records.lines import Line

_Kind = TypeVar("_Kind", bound=Line)


def _of(module: ModuleType) -> Iterator[type[Line]]:
    """The kinds of lines that a module makes."""
    for each in vars(module).values():
        if (
            isinstance(each, type)
            and issubclass(each, Line)
            and each is not Line
            and each.__module__ == module.__name__
        ):
            yield each


KINDS: tuple[type[Line], ...] = (*_of(lines), *_of(soaks))
"""Every kind of line, as they stand there."""
LINES: Any = reduce(or_, KINDS)
"""The lines of a run as those read them who judge: what a decoder is told to expect."""


class Record(Sequence[Line]):
    """Lines in order of time; those of one kind are at hand. A night holds more than a walk for each question bears."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self._lines = sorted(lines, key=attrgetter("t"))
        kinds: dict[type[Line], list[Line]] = defaultdict(list)
        for line in self._lines:
            kinds[type(line)].append(line)
        self._kinds = kinds

    def of(self, kind: type[_Kind]) -> Sequence[_Kind]:
        """Those of one kind, in order of time."""
        return cast("Sequence[_Kind]", self._kinds.get(kind, ()))

    @property
    def end(self) -> int:
        """The time of the last line, whoever wrote it, monotonic ns; 0 where there is none."""
        return self._lines[-1].t if self._lines else 0

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines)

    @overload
    def __getitem__(self, at: int) -> Line: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Line]: ...
    def __getitem__(self, at: int | slice) -> Line | Sequence[Line]:
        return self._lines[at]
