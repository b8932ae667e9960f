"""Where both accounts meet: what the injector did, and what the watch says. The only place that knows both.

Words, as the table uses them:

- *detected*: each stop a row expects is there, on its endpoint, and its family, kind, signal and code are right.
- *wrong cause*: a stop of a family that is neither expected nor true as well (``also``); or a kind, signal or code that
  is another one than was injected; or a cause that names something the row does not allow; or one story told twice
  (``once``). A cause that begins with UNKNOWN is never wrong: what the record does not show is not known.
- *false alarm*: in a twin or a control, anything that is said and is no notice its row expects.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from seatrial.records import Stop
from tests.faults.rows import Expected, Row


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of one row came to. Delays in ns; None: not applicable, or not detected."""

    row: str
    seed: int
    detected: bool
    wrong: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    named: bool = False  # the cause is named, not UNKNOWN
    seen_after: int | None = None  # from the strike until the record sufficed
    dead_after: int | None = None  # from the strike to the first proof of death
    pidfd_after: int | None = None  # from our own pidfd to the recorder's
    holds: bool | None = None  # the strike lies in the interval from the last life to the first proof of death
    trouble: str = ""  # the trial could not be carried out
    again: str = ""  # why it was set up a second time: it had not come to its strike
    ablated: dict[str, str] = {}


SLACK_NS = 50_000_000
"""Between a deed and the time the injector or a client gives it: a thread's turn on a loaded machine."""


def account(row: Row, seed: int, stops: Sequence[Stop], struck_at: int, ended_at: int = 0) -> Account:
    """Compare."""
    told = [stop for stop in stops if not stop.planned]
    if row.twin:
        alarms = tuple(_words(s) for s in told if s.family not in row.notices)
        missed = () if row.must_notice in (None, *(s.family for s in told)) else (f"no {row.must_notice}",)
        return Account(row=row.id, seed=seed, detected=not alarms and not missed, alarms=alarms, missed=missed)
    found = {e: _match(e, told) for e in row.expected}
    missed = tuple(f"no {e.family} of {e.name}" for e, stop in found.items() if stop is None)
    wrong = tuple(text for stop in told if (text := _wrong(row, stop)))
    wrong += tuple(f"{n} times {e.family} of {e.name}" for e in row.expected if e.once and (n := _times(e, told)) > 1)
    main = found[row.expected[-1]]
    timed = msgspec.structs.asdict(Account(row=row.id, seed=seed, detected=not missed, wrong=wrong, missed=missed))
    if main is not None:
        timed |= {
            "named": not main.cause.startswith("UNKNOWN"),
            "seen_after": main.seen_at - struck_at if main.seen_at else None,
            "dead_after": main.dead_at - struck_at,
            "pidfd_after": main.pidfd_at - ended_at if main.pidfd_at and ended_at else None,
            "holds": main.alive_at - SLACK_NS <= struck_at <= main.dead_at + SLACK_NS,
        }
    return Account(**timed)


def _match(expected: Expected, told: Sequence[Stop]) -> Stop | None:
    return next((stop for stop in told if _is(expected, stop)), None)


def _times(expected: Expected, told: Sequence[Stop]) -> int:
    return sum((stop.name, stop.family) == (expected.name, expected.family) for stop in told)


def _is(expected: Expected, stop: Stop) -> bool:
    words = " ".join((*stop.evidence, *stop.hypotheses, stop.cause))
    return (
        stop.name == expected.name
        and stop.family == expected.family
        and (not expected.kind or stop.kind == expected.kind)
        and (expected.signal is None or stop.signal == expected.signal)
        and (expected.code is None or stop.code == expected.code)
        and (expected.loops is None or stop.restarts == (expected.loops and expected.loops + 1))
        and all(word in words for word in expected.says)
    )


def _wrong(row: Row, stop: Stop) -> str:
    """Why what is told is wrong; empty where it is not."""
    here = [e for e in row.expected if e.name == stop.name]
    expected = next((e for e in here if e.family == stop.family), None)
    if expected is None:
        true = any(stop.family in e.also for e in here) or stop.family in row.notices
        return "" if true else _words(stop)
    differs = (
        (expected.kind and stop.kind not in (expected.kind, "unknown"))
        or (expected.signal is not None and stop.signal not in (expected.signal, None))
        or (expected.code is not None and stop.code not in (expected.code, None))
    )
    allowed = stop.cause.startswith(("UNKNOWN", *expected.cause)) or stop.family == "UNOBSERVED"
    return _words(stop) if differs or not allowed else ""


def _words(stop: Stop) -> str:
    details = [f"signal {stop.signal}" if stop.signal else "", f"code {stop.code}" if stop.code is not None else ""]
    return ", ".join(x for x in (f"{stop.family} of {stop.name}", stop.kind, *details, stop.cause) if x)
