"""OTHER MODEL and OTHER BUILD: after a restart a server says that it serves something else. The reader of identities.

A server is asked once in each of its lives which models it lists. A restart that was announced excuses an end and no
other model: what clients then get was not tested. A model is the same under another name where it was loaded from the
same file, and another one under the same name where file or size is another. Of several models of which none is
asked for by name, one that is still there shows that the server is the same. Another build alone is a notice: whoever
updates a server means to.

An example, told as OTHER MODEL::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"identity","t":4e9,"name":"a","at":4e9,"models":[{"id":"qwen-7b"}],"build":"b6000"}
    {"kind":"event","t":5.8e9,"what":"planned-stop","name":"a"}
    {"kind":"event","t":5.9e9,"what":"exit","name":"a","pid":7,"incarnation":"i-7","status":0}
    {"kind":"event","t":7e9,"what":"found","name":"a","pid":9,"incarnation":"i-9"}
    {"kind":"identity","t":9e9,"name":"a","at":9e9,"models":[{"id":"qwen-1b"}],"build":"b6000"}

An example, told as OTHER BUILD::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"identity","t":4e9,"name":"a","at":4e9,"models":[{"id":"qwen-7b"}],"build":"b6000"}
    {"kind":"event","t":5.8e9,"what":"planned-stop","name":"a"}
    {"kind":"event","t":5.9e9,"what":"exit","name":"a","pid":7,"incarnation":"i-7","status":0}
    {"kind":"event","t":7e9,"what":"found","name":"a","pid":9,"incarnation":"i-9"}
    {"kind":"identity","t":9e9,"name":"a","at":9e9,"models":[{"id":"qwen-7b"}],"build":"b6100"}
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from seatrial.records import FILE, ROOT, Family, Identity, Offered
from seatrial.stops.state.case import Statement
from seatrial.stops.state.cases import change, lasting, open_case, proof_before
from seatrial.stops.state.incarnations import Proof
from seatrial.stops.state.server import Served, Server, State

SHOWN = 3
"""Models that are named in words."""


def identified(server: Server, line: Identity, _: State) -> Server:
    """What a server says of itself in one life, held against what it said in the first."""
    known, told = server.served, lasting(server, "OTHER MODEL")
    if known.models and line.models:
        other = not is_same(known.models, line.models, line.model)
        if other and told is None:
            server = _opened(server, "OTHER MODEL", line, _words(known.models, line.models, line.model))
        elif not other and told is not None:
            said = f"it lists {_named(line.models, line.model)} again"
            server = change(server, told, until=line.at, evidence=(*told.evidence, said))
    if known.build and line.build and known.build != line.build:
        server = _opened(server, "OTHER BUILD", line, f"its build was {known.build}, and is {line.build}")
    models, build = known.models or line.models, line.build or known.build
    return replace(server, served=Served(known.at if known.models else line.at, models, build))


def is_same(old: Sequence[Offered], new: Sequence[Offered], model: str) -> bool:
    """Whether two lists show that a server serves the same: the model that is asked for, else any of the old ones."""
    wanted = [each for each in old if model in _names(each)] if model else []
    return any(_is_one(each, other) for each in wanted or old for other in new)


def _is_one(old: Offered, new: Offered) -> bool:
    """Whether two entries are of one model. What only one of them tells says nothing."""
    told = old.marks.keys() & new.marks.keys()
    alike = all(old.marks[key] == new.marks[key] for key in told)
    return alike and (not told.isdisjoint((FILE, ROOT)) or not _names(old).isdisjoint(_names(new)))


def _names(each: Offered) -> set[str]:
    return {each.id, *each.aliases}


def _opened(server: Server, family: Family, line: Identity, seen: str) -> Server:
    """A stop or a notice that begins with the answer that showed it, and with the restart before it at the earliest."""
    main, known = server.life.main, server.served
    alive = Proof(min(known.at, line.at), f"it said {_told(known)}", "health")
    if main is not None and alive.at < main.found_at <= line.at:
        before = proof_before(server, main.found_at, alive.at)
        alive = before if before.at > alive.at else alive
    return open_case(
        server,
        family,
        line.at,
        line.t,
        alive=alive,
        until=line.at if family == "OTHER BUILD" else None,
        evidence=(seen,),
        suspects=frozenset(),
        child=None,
        look=None,
        statement=Statement(cause="UNKNOWN: who started it so is not told by what it says of itself"),
    )


def _told(known: Served) -> str:
    return f"that it serves {_named(known.models, '')}" if known.models else f"that its build is {known.build}"


def _words(old: Sequence[Offered], new: Sequence[Offered], model: str) -> str:
    """``it listed qwen-7b, and lists qwen-1b since its restart``."""
    before, after = _named(old, model), _named(new, model)
    if before == after:
        before, after = _marked(old, model), _marked(new, model)
    return f"it listed {before}, and lists {after} since its restart"


def _named(offered: Sequence[Offered], model: str) -> str:
    """The models by their names, of a path its last part: the one that is asked for, else the first of them."""
    meant = [each.id for each in offered if model and model in _names(each)] or [each.id for each in offered]
    first = [name.rpartition("/")[2] if name.startswith("/") else name for name in meant]
    more = f" and {len(first) - SHOWN} more" if len(first) > SHOWN else ""
    return f"{', '.join(first[:SHOWN])}{more}"


def _marked(offered: Sequence[Offered], model: str) -> str:
    """A model by its whole name and what is told of it: ``chat (size 900)``."""
    each = next((each for each in offered if model in _names(each)), offered[0])
    marks = ", ".join(f"{key} {value}" for key, value in each.marks.items())
    return f"{each.id} ({marks})" if marks else each.id
