"""How long a silence must last before it is called a stop. Settings of a watch; the tests shorten them."""

from __future__ import annotations

import msgspec

from seatrial.records import SECOND


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """All in ns. The strength of the evidence decides which of the four limits of WEDGED holds."""

    frozen: int = 2 * SECOND
    """Samples show the process stopped by a signal for so long: a shell's or a debugger's short stop is no stop."""
    still: int = 3 * SECOND
    """Samples show that a freezer holds the process for so long."""
    wedged_silent: int = 10 * SECOND
    """Work waits, the process idles, and the engine's own loop does not answer."""
    wedged: int = 45 * SECOND
    """Work waits and the process idles; nothing else tells."""
    wedged_unseen: int = 120 * SECOND
    """Work waits, and neither process nor counters can be seen: a queue or a long prefill look the same."""
    busy: int = 3600 * SECOND
    """Work waits, and the process is busy: a prefill of a long prompt takes half an hour on a CPU."""
    stall: int = 30 * SECOND
    """No token comes for so long in a stream that had begun to give tokens."""
    clock: int = SECOND // 2
    """A wall clock that moves so far against the monotonic clock between two heartbeats was stepped, not slewed."""

    quiet_until: int = 0
    """CLOCK_MONOTONIC: what happens and is over by then is planned maintenance, and no stop; 0: none is planned."""

    @classmethod
    def of(cls, options: dict[str, object]) -> Limits:
        """The limits of a run, from its run.json. A limit that is missing there has its default."""
        found = options.get("limits")
        return msgspec.convert(found, cls) if isinstance(found, dict) else cls()


IN_A_ROW = 3
"""So many probes in a row without an answer are needed before anything is said: one or two may be a blip."""
SETTLE_NS = 3 * SECOND
"""How long a stop waits for late evidence: the keeper's word, the next probe, rows of the requests it broke."""
DYING_NS = SECOND
"""A request that breaks this long before the last proof of life, or after it, was in flight: dying takes time."""
ON_THE_WAY_NS = SECOND // 2
"""A token that was on its way when the process that gave it ended arrives so much later."""
LULL_NS = 60 * SECOND
"""If nobody waits for so long, a later wait is another one; a canary comes more often."""
PLANNED_FOR_NS = 60 * SECOND
"""How long an announced stop may take to happen. A stop after that is a stop like any other."""
