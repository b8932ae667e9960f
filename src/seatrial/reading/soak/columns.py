"""Rows of a soak as columns: a night has some hundred thousand of them, and a dozen rules and figures read each.

A field of all rows is made an array once, when it is first asked for; a part of the rows is where they stand among all.
Times are those of :mod:`seatrial.reading.soak.rows`, of all rows at once.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from operator import attrgetter
from typing import Any, ParamSpec, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from seatrial.reading import fields
from seatrial.reading.soak.rows import Slo
from seatrial.records import SECOND, LoadRow, SoakRun

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_Asked = ParamSpec("_Asked")
_Made = TypeVar("_Made")
_Column = TypeVar("_Column", NDArray[np.float64], NDArray[np.int64], NDArray[Any])
_SUMMED = 2**31
"""Numbers below it, so many that a soak could have rows, make a sum of 64 bits."""


def once(function: Callable[_Asked, _Made]) -> Callable[_Asked, _Made]:
    """Keep what came of the soak that was looked at last: a dozen rules ask for the same of a night of a million lines.

    Args:
        function: of a soak, and of what is known beside it; what it makes is changed by nobody.
    """
    held: list[Any] = []

    @functools.wraps(function)
    def asked(*about: _Asked.args, **more: _Asked.kwargs) -> _Made:
        if not held or held[0][0] is not about[0] or held[0][1:] != about[1:]:
            held[:] = [about, function(*about, **more)]
        made: _Made = held[1]
        return made

    return asked


class Rows(Sequence[LoadRow]):
    """Rows, and each of their fields as an array. A part of them shares the arrays of the whole."""

    def __init__(self, rows: Sequence[LoadRow] = ()) -> None:
        self._rows = rows
        self._whole: Rows = self
        self._at: Ints | None = None  # of a part: where its rows stand among all
        self._made: dict[str, Any] = {}  # of the whole: columns that were asked for

    def where(self, mask: Bools) -> Rows:
        """Those of which ``mask``, a truth for each row, says so."""
        return self._part(np.flatnonzero(mask))

    def groups(self, *names: str) -> dict[tuple[Any, ...], Rows]:
        """The rows by the values of some fields."""
        found: dict[tuple[Any, ...], Rows] = {(): self}
        for name in names:
            found = {(*key, word): part for key, rows in found.items() for word, part in rows._by(name)}
        return found

    # fields

    def whole(self, name: str) -> Ints:
        """A field that holds a whole number of ours: a time in ns, a length, a count, a truth as 0 or 1."""
        return self._column(name, lambda rows: np.fromiter(map(attrgetter(name), rows), np.int64, len(rows)))

    def told(self, name: str) -> list[int | None]:
        """A field that holds a count as a server told it; None where it told none, or one beyond all reckoning."""
        values: list[int | None] = self._once(
            f"told {name}", lambda rows: fields.all_counted(map(attrgetter(name), rows))
        )
        return values if self._at is None else [values[at] for at in self._at.tolist()]

    def total(self, name: str) -> int:
        """The sum of a field of numbers, to the last digit; what a server did not tell is none."""
        return int(self._column(f"exact {name}", lambda _: _exact(self._whole.told(name))).sum())

    def known_total(self, name: str) -> int | None:
        """The same; None where there are rows and a server told a number in none of them: that is no nought."""
        return self.total(name) if self.tells(name).any() or not len(self) else None

    def tells(self, name: str) -> Bools:
        """Whether a server told a number, even 0."""
        return np.asarray(~np.isnan(self.number(name)), dtype=np.bool_)

    def has(self, name: str) -> Bools:
        """Whether a server told a number other than 0."""
        return np.asarray(np.nan_to_num(self.number(name)) != 0, dtype=np.bool_)

    def number(self, name: str) -> Floats:
        """What a server told as a float, as far as one can tell it; NaN where it told nothing."""
        return self._column(f"number {name}", lambda _: np.array(self._whole.told(name), dtype=np.float64))

    def among(self, name: str, words: Collection[Hashable]) -> Bools:
        """Whether the field of a row is one of these words."""
        codes, known = self._codes(name)
        return np.array([word in words for word in known], dtype=np.bool_)[codes]

    def codes(self, name: str) -> Ints:
        """A number for each row, the same for those whose field holds the same."""
        return self._codes(name)[0]

    def counts(self, name: str) -> Counter[Any]:
        """How many rows hold which value."""
        codes, known = self._codes(name)
        many = np.bincount(codes, minlength=len(known)).tolist()
        return Counter({word: n for word, n in zip(known, many, strict=True) if n})

    # times, in seconds; NaN where one cannot be told

    @property
    def waited_s(self) -> Floats:
        """From when a request was meant to be sent to its first token."""
        return self._since("waited_s", "first_at", "intended_at")

    @property
    def ttft_s(self) -> Floats:
        """From sending to the first token."""
        return self._since("ttft_s", "first_at", "sent_at")

    @property
    def ttfb_s(self) -> Floats:
        """From sending to the first byte of the answer."""
        return self._since("ttfb_s", "byte_at", "sent_at")

    @property
    def ttfo_s(self) -> Floats:
        """From when a request was meant to be sent to its first token that is no thought."""
        return self._since("ttfo_s", "content_at", "intended_at")

    @property
    def e2e_s(self) -> Floats:
        """From when a request was meant to be sent to its last token."""
        return self._since("e2e_s", "last_at", "intended_at")

    @property
    def tpot_s(self) -> Floats:
        """Per token after the first, by the server's count of tokens."""
        return self._column("tpot_s", lambda _: self._whole._paced(self._whole.number("tokens")))

    @property
    def chunk_s(self) -> Floats:
        """Per chunk after the first, of a row whose server told no tokens."""
        return self._column("chunk_s", lambda _: self._whole._chunked())

    def hold(self, limits: Slo) -> Bools:
        """Whether a request was answered within the limits that are set: as ``Slo.holds``."""
        good = self.among("outcome", {"ok"})
        if limits.ttft_s is not None:
            good &= self.waited_s <= limits.ttft_s
        if limits.tpot_s is not None:
            good &= ~(self.tpot_s > limits.tpot_s)
        return good

    # a sequence

    def __len__(self) -> int:
        return len(self._rows) if self._at is None else len(self._at)

    def __iter__(self) -> Iterator[LoadRow]:
        return iter(self._rows) if self._at is None else map(self._rows.__getitem__, self._at.tolist())

    @overload
    def __getitem__(self, at: int) -> LoadRow: ...
    @overload
    def __getitem__(self, at: slice) -> Rows: ...
    def __getitem__(self, at: int | slice) -> LoadRow | Rows:
        if isinstance(at, slice):
            return self._part(np.arange(len(self))[at])
        return self._rows[at if self._at is None else int(self._at[at])]

    def _part(self, at: Ints) -> Rows:
        part = Rows(self._rows)
        part._whole = self._whole
        part._at = at if self._at is None else self._at[at]
        return part

    def _by(self, name: str) -> Iterator[tuple[Any, Rows]]:
        codes, known = self._codes(name)
        yield from ((word, self.where(codes == code)) for code, word in enumerate(known) if (codes == code).any())

    def _once(self, name: str, make: Callable[[Sequence[LoadRow]], Any]) -> Any:
        """What is made of all rows, the first time that it is asked for."""
        made = self._whole._made
        if name not in made:
            made[name] = make(self._rows)
        return made[name]

    def _column(self, name: str, make: Callable[[Sequence[LoadRow]], _Column]) -> _Column:
        found: _Column = self._once(name, make)
        return found if self._at is None else found[self._at]

    def _codes(self, name: str) -> tuple[Ints, list[Any]]:
        """A number for each row, and the value that each number stands for, in the order in which they first came."""

        def coded(rows: Sequence[LoadRow]) -> tuple[Ints, list[Any]]:
            values = list(map(attrgetter(name), rows))
            known = {value: code for code, value in enumerate(dict.fromkeys(values))}
            if len(known) < 2:
                return np.zeros(len(values), np.int64), [*known]
            return np.fromiter(map(known.__getitem__, values), np.int64, len(values)), [*known]

        codes, known = self._once(f"codes {name}", coded)
        return (codes if self._at is None else codes[self._at]), known

    def _since(self, name: str, until: str, since: str) -> Floats:
        def lasted(_: Sequence[LoadRow]) -> Floats:
            end = self._whole.whole(until)
            return np.where(end != 0, (end - self._whole.whole(since)) / SECOND, np.nan)

        return self._column(name, lasted)

    def _paced(self, many: Floats) -> Floats:
        """Seconds from the first token to the last, for each of ``many`` but the first."""
        first, last = self.whole("first_at"), self.whole("last_at")
        there = (many > 1) & (last > first)
        paces = np.full(len(self), np.nan)
        np.divide((last - first) / SECOND, many - 1, out=paces, where=there)
        return paces

    def _chunked(self) -> Floats:
        return self._paced(np.where(self.tells("tokens"), np.nan, self.whole("deltas").astype(np.float64)))


@once
def rows_of(run: SoakRun) -> Rows:
    """The rows of a soak, as it is looked at."""
    return Rows(run.rows)


def _exact(values: Sequence[int | None]) -> NDArray[Any]:
    """Whole numbers of which a sum is right to the last digit, 0 for none: as Python's own where one is very large."""
    numbers = [value or 0 for value in values]
    small = max(numbers, default=0) < _SUMMED and min(numbers, default=0) > -_SUMMED
    return np.array(numbers, dtype=np.int64 if small else object)


def known(times: Floats) -> Floats:
    """Those that can be told."""
    return np.asarray(times[~np.isnan(times)], dtype=np.float64)
