"""The table of families: what opens a stop of each, what ends it, what it may become, and what it breaks.

A stop is opened in one family. More evidence may make another family of it (``becomes``): a STOPPED whose successor
is found is RESTARTED. With less evidence the same history may be told as a weaker family (``falls``), and never as
another. The readers and the telling take their lists of families from this table, the ablation tests take what it
falls to (``weaker``), and docs/families.md is drawn from it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from seatrial.records import NO_STOP, Family
from seatrial.stops.state.incarnations import SERVING, By

Due = Literal["at once", "shortly", "once known", "once unexplained"]
"""When a stop is first handed out; at the latest after three seconds, in which late evidence comes.

``at once``: its evidence is whole when it is opened. ``shortly``: after a second, or when the end of its process is
known. ``once known``: when the end of its process is known, and a second old. ``once unexplained``, of streams: when a
stop that explains it would have come to light, however long that takes.
"""

ANY: frozenset[By] = SERVING | {"process", "found"}
NONE: frozenset[By] = frozenset()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One family.

    Attributes:
        says: what is claimed.
        reader: the module below ``seatrial.stops`` that opens it; its docstring holds an example record.
        opens: what must be seen.
        ends: what shows that it is over.
        becomes: what more evidence makes of it, and which evidence.
        falls: what less evidence may make of it.
        falls_of_child: what it may make of it besides, where a child ended under a parent that lives.
        rung: the first broken rung of the ladder; empty where ``shown`` of the stop tells it.
        due: when it is first handed out.
        refuted_by: proofs of life that speak against it: a later one of these moves its beginning.
        ended: a process has ended, and its end is told.
        marked: the main process ended or was replaced, so that a new mark of a start belongs to it.
        lives_on: its process lives on, so that what its threads do tells of the stop.
        beside: it lasts beside other stops of its server: it explains none of them, and none takes its place.
        inferred: the word for it where nobody looked while it happened; empty where it needs a look.
    """

    says: str
    reader: str
    opens: str
    ends: str
    becomes: dict[Family, str] = {}
    falls: tuple[Family, ...] = ()
    falls_of_child: tuple[Family, ...] = ()
    rung: str = ""
    due: Due = "once known"
    refuted_by: frozenset[By] = ANY
    ended: bool = False
    marked: bool = False
    lives_on: bool = False
    beside: bool = False
    inferred: str = ""


_DIES = "its process ends within five seconds"
_USURPED = "another program is found to own the port"
FAMILIES: dict[Family, Row] = {
    "STOPPED": Row(
        says="Its process ended, or nothing answers where a server answered.",
        reader="process.deaths",
        opens="an end of the main process that was not announced; the end of a runner by a crash, or after which no "
        "token came; two probes without a LISTEN socket, or three that prove that no server answers, where no process "
        "is seen",
        ends="a successor that serves, a LISTEN socket or an answer of /health",
        becomes={
            "RESTARTED": "a successor whose process began within a minute of the end",
            "IMPOSTOR": _USURPED,
            "RUNNER REPLACED": "the successor of a runner is found",
        },
        falls=("TRUNCATED",),
        falls_of_child=("WEDGED",),
        ended=True,
        marked=True,
        inferred="stop",
    ),
    "RESTARTED": Row(
        says="Its process ended, and another one took its place at once.",
        reader="process.deaths",
        opens="an end, and by another hand than ours a successor that began after it and is no worker that its master "
        "recycled; another LISTEN socket where no process is seen",
        ends="an answer of the successor; what ends before it answers is counted with it",
        falls=("STOPPED", "TRUNCATED"),
        due="shortly",
        ended=True,
        marked=True,
        inferred="restart",
    ),
    "RUNNER REPLACED": Row(
        says="A child of the server ended, and its parent, which lives on, started another one in its place.",
        reader="process.children",
        opens="the end of a child that worked, and a successor of the same program and model under the same parent; "
        "no tool without which canaries were answered",
        ends="when it begins: the successor is there",
        falls=("TRUNCATED",),
        rung="the process of its runner",
        due="shortly",
        refuted_by=frozenset({"token"}),  # the parent's HTTP layer lives on
        ended=True,
        inferred="replacement",
    ),
    "IMPOSTOR": Row(
        says="Another program owns the port.",
        reader="process.impostor",
        opens="a new owner of the port that runs another program and is no relative of the declared process",
        ends="a process of the declared program, or one that we started, owns the port again",
        falls=("RESTARTED", "STOPPED", "TRUNCATED"),
        rung="the LISTEN socket: another program owns it",
        due="shortly",
        refuted_by=SERVING,
        marked=True,
        inferred="take-over",
    ),
    "OTHER MODEL": Row(
        says="After a restart it serves another model, planned or not.",
        reader="identity.models",
        opens="in a new life a list of models in which neither the model that is asked for nor, where none is named, "
        "any one of before stands; or a model of that name and of another size",
        ends="a life in which it lists the model of before",
        rung="the answer's content: another model answers",
        due="at once",
        refuted_by=NONE,
        beside=True,
    ),
    "TWO OWNERS": Row(
        says="Two servers own the port, and clients meet either.",
        reader="identity.owners",
        opens="for fifteen seconds a second LISTEN socket at the port, of a process that is neither a relative of the "
        "first one's nor a worker of the same master",
        ends="one owner, or none",
        rung="the LISTEN socket: two servers own it",
        due="at once",
        refuted_by=NONE,
        beside=True,
    ),
    "DEAF": Row(
        says="Its process lives, and listens no more.",
        reader="process.deaf",
        opens="two probes without a LISTEN socket, or three refused ones where the socket cannot be seen, and a sample "
        "that shows the process alive",
        ends="a LISTEN socket of the process, or an answer of /health",
        becomes={"STOPPED": _DIES, "IMPOSTOR": _USURPED},
        falls=("STOPPED", "TRUNCATED"),
        rung="the LISTEN socket",
        refuted_by=frozenset({"health"}),
        lives_on=True,
    ),
    "FROZEN": Row(
        says="Its process lives, and is held.",
        reader="process.frozen",
        opens="samples in state T for two seconds, or for three seconds a cgroup that is frozen or threads that stand "
        "where frozen ones stand; and nothing was served meanwhile",
        ends="a sample that shows that it runs, or any other proof of life",
        becomes={"STOPPED": _DIES, "IMPOSTOR": _USURPED},
        falls=("WEDGED", "STREAM STALL"),
        rung="the process is there and is held",
        due="shortly",
        lives_on=True,
    ),
    "WEDGED": Row(
        says="Its process runs, and its work does not.",
        reader="work.wedged",
        opens="work waits, nothing progresses, and its processes idle, for as long as the evidence asks; three "
        "canaries in a row that fail, five of twenty, or 429 and 503 for five minutes; /health that says for ten "
        "minutes that it loads, or that was answered and is silent for two minutes while a process that once worked "
        "idles",
        ends="a token, growth of a counter, ten canaries in a row that are answered where a share failed, or "
        "/health that is well again where /health alone showed it",
        becomes={"STOPPED": f"{_DIES}, or a runner's ended just before it", "IMPOSTOR": _USURPED},
        falls=("STREAM STALL", "TRUNCATED"),
        due="shortly",
        refuted_by=frozenset({"token"}),  # its HTTP layer lives on
        lives_on=True,
    ),
    "UNOBSERVED": Row(
        says="Nobody looked, or there was no way to the server: no stop, and inconclusive.",
        reader="clock",
        opens="more than three seconds without the recorder's heartbeat; three probes that find no way to the server",
        ends="the heartbeat, or an answer",
        due="at once",
        refuted_by=NONE,
    ),
    "CLOCK STEPPED": Row(
        says="The wall clock was set: a notice, and no stop.",
        reader="clock",
        opens="the wall clock moved by half a second against the monotonic one between two heartbeats",
        ends="when it begins",
        due="at once",
        refuted_by=NONE,
    ),
    "LOG STORM": Row(
        says="Its log grows by thousands of lines a second: a notice, and no stop.",
        reader="process.storms",
        opens="a thousand lines a second and more, for five seconds",
        ends="ten seconds with fewer",
        due="at once",
        refuted_by=NONE,
    ),
    "OTHER BUILD": Row(
        says="After a restart it is another build: a notice, and no stop.",
        reader="identity.models",
        opens="in a new life another version of its program, as it tells it",
        ends="when it begins",
        due="at once",
        refuted_by=NONE,
    ),
    "STREAM STALL": Row(
        says="A stream that had begun to give tokens gave none for long, and no stop explains it.",
        reader="streams.broken",
        opens="thirty seconds between two tokens, or until the client gave up",
        ends="the next token of the stream",
        rung="tokens arrive",
        due="once unexplained",
        refuted_by=NONE,
    ),
    "TRUNCATED": Row(
        says="A stream ended without its end, and no stop explains it.",
        reader="streams.broken",
        opens="a body cut before the end of its framing; an end without [DONE], finish_reason and usage; [DONE] "
        "without a finish_reason that this server otherwise sends",
        ends="never: the stream is over",
        rung="the answer's end",
        due="once unexplained",
        refuted_by=NONE,
    ),
    "EMPTY": Row(
        says="An answer of status 200 ended in order, without a word in it.",
        reader="streams.broken",
        opens="a whole answer without content",
        ends="never: the stream is over",
        rung="the answer's content",
        due="once unexplained",
        refuted_by=NONE,
    ),
    "FAILED IN-BAND": Row(
        says="An error came inside an answer that had begun with status 200.",
        reader="streams.broken",
        opens="an error event in a stream",
        ends="never: the stream is over",
        rung="the answer's content: an error under status 200",
        due="once unexplained",
        refuted_by=NONE,
    ),
}
ENDED = frozenset(family for family, row in FAMILIES.items() if row.ended)
"""A process has ended."""
ENDED_MAIN = frozenset(family for family, row in FAMILIES.items() if row.ended and row.marked)
"""The main process has ended."""
BESIDE = frozenset(family for family, row in FAMILIES.items() if row.beside)
"""They last beside other stops of a server."""
EXPLAINS_NOTHING = NO_STOP | BESIDE
"""They say nothing of what else happens while they last."""
MARKED = frozenset(family for family, row in FAMILIES.items() if row.marked)
"""The server's own mark of its start changes with it."""
OF_A_CHILD = FAMILIES["RUNNER REPLACED"].rung
"""The first broken rung of a stop in which a child ended, and its parent lives."""


def weaker(family: Family, rung: str) -> frozenset[Family]:
    """What less evidence may make of a stop of a family whose first broken rung is that.

    DEAF may fall to STOPPED of an unknown kind (nothing answers, and no process is seen), STOPPED of a child to WEDGED
    (no token comes, and no end was seen), FROZEN to WEDGED (nothing moves on, and the process is not seen). What ends
    or shuts a server may fall to what it did to a stream, which is true of each stream it broke.
    """
    row = FAMILIES[family]
    return frozenset((*row.falls, *(row.falls_of_child if rung == OF_A_CHILD else ())))
