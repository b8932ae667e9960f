"""The shared words: what every room writes, reads and hands on.

Two families stand here. *Lines* (subclasses of :class:`Line`) are what a run directory holds, one JSON object a
line, tagged by ``kind``; :mod:`seatrial.run` stamps their head and reads them back. *Views* (:class:`Exchange`
and its parts) are what rules read: one request and its answer, assembled from recorded bytes by
:mod:`seatrial.wire.decoding.assemble`. Both are frozen.

Every time is CLOCK_MONOTONIC in nanoseconds unless its name says otherwise (``wall_ns``, ``_s``, ``_ms``): the wall
clock steps, and a duration must not. Sizes are bytes. No field may hold the API key: the transports mask it before
anything is written.

A new optional field needs no version step; a changed or removed one does (``VERSION``).
"""

from seatrial.records.decisions import *
from seatrial.records.facts import *
from seatrial.records.families import *
from seatrial.records.lines import *
from seatrial.records.nights import *
from seatrial.records.record import *
from seatrial.records.sameness import *
from seatrial.records.soaks import *
from seatrial.records.verdicts import *
from seatrial.records.views import *
from seatrial.records.words import *
