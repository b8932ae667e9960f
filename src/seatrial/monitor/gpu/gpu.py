"""GPUs through NVML, read in a thread of its own: a card that has fallen off its bus can hold a call for long.

Each state of affairs is said once: no driver here, a call that a card or the driver does not know (which is then not
made again), a card that is lost while we watch, a driver that does not come back.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from seatrial.monitor.gpu import nvml as lib
from seatrial.monitor.gpu.nvml import describe
from seatrial.monitor.gpu.xid import Xids
from seatrial.records import Event, Fact, Gpu, Happening

__all__ = ["Gpus", "describe"]

SLOW_NS = 3_000_000_000
"""A reading takes milliseconds; one that takes longer than this is said to hang."""
SM_CLOCK, UNCORRECTED, VOLATILE = 1, 1, 0
"""nvmlClockType_t, nvmlMemoryErrorType_t and nvmlEccCounterType_t of nvml.h."""
REASONS = {
    0x1: "GpuIdle",
    0x2: "ApplicationsClocksSetting",
    0x4: "SwPowerCap",
    0x8: "HwSlowdown",
    0x10: "SyncBoost",
    0x20: "SwThermalSlowdown",
    0x40: "HwThermalSlowdown",
    0x80: "HwPowerBrakeSlowdown",
    0x100: "DisplayClockSetting",
}
"""nvmlClocksEventReason... of nvml.h, the words behind that."""
INITIAL_NAMESPACE = f"pid:[{0xEFFFFFFC}]"
"""The host's own pid namespace has this number in every Linux (PROC_PID_INIT_INO)."""


class Gpus:
    """The cards of this machine.

    Args:
        take: given each reading, from the thread.
        say: given each event (``trouble``, ``xid``, ``gpu-lost``), from a thread; those of now have no time yet.
    """

    def __init__(self, take: Callable[[Gpu], None], say: Callable[[Event], None]) -> None:
        self._take, self._say = take, say
        self._said: set[str] = set()
        self._asked = threading.Event()
        self._giving, self._timing = threading.Lock(), threading.Lock()
        self._over = False
        self._since = time.monotonic_ns()  # of the call under way; 0: none is
        self._hangs = False
        self._thread = threading.Thread(target=self._work, name="gpus", daemon=True)
        self._thread.start()

    def ask(self) -> None:
        """Read every card once; while the last reading still runs, one more follows it."""
        with self._timing:
            late = self._since and not self._hangs and time.monotonic_ns() - self._since > SLOW_NS
            self._hangs = self._hangs or bool(late)
        if late:
            self._event(
                Happening.TROUBLE,
                f"the GPU driver has not answered for {SLOW_NS // 10**9} s: no GPU figures until then",
            )
        self._asked.set()

    def close(self) -> None:
        """Nothing is handed over from here on; the threads end by themselves within a second, unless a call hangs."""
        with self._giving:
            self._over = True
        self._asked.set()

    def _work(self) -> None:
        try:
            nvml = lib.load()
            nvml.nvmlInit()
            count = nvml.nvmlDeviceGetCount()
        except Exception as error:  # noqa: BLE001 - a broken driver or library is a fact to be recorded
            self._back()
            hidden, why = lib.why_not(error)
            self._once(f"{'GPUs not observable' if hidden else 'no GPU on this host'}: {why}")
            return
        cards = self._cards(nvml, count)
        self._back()
        if not count:
            self._once(f"no GPU on this host: {lib.NONE_LISTED}")
        if cards:
            handles = {index: card.handle for index, card in cards.items()}
            xids = Xids(nvml, handles, say=self._give_event, once=self._once)
            self._read_until_over(cards)
            xids.close()
        with contextlib.suppress(Exception):
            nvml.nvmlShutdown()

    def _cards(self, nvml: Any, count: int) -> dict[int, Card]:
        cards = {}
        for index in range(count):
            try:
                cards[index] = Card(nvml, index, nvml.nvmlDeviceGetHandleByIndex(index), self._once, self._lost)
            except Exception as error:  # noqa: BLE001 - as above
                if lib.code(error) in lib.GONE:
                    self._lost(index, str(error))
                else:
                    self._once(f"GPU {index} cannot be watched: {error}")
        return cards

    def _read_until_over(self, cards: Mapping[int, Card]) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            if self._over:
                return
            self._since = time.monotonic_ns()
            for card in cards.values():
                line = card.read()
                with self._giving:
                    if self._over:
                        return
                    self._take(line)
                if foreign(line.processes):
                    self._once("GPU processes are host pids, and this is a pid namespace: they are no process here")
            self._back()

    def _back(self) -> None:
        """The driver has come back from what it was asked."""
        with self._timing:
            took, hung = time.monotonic_ns() - self._since, self._hangs
            self._since, self._hangs = 0, False
        if hung:
            self._event(Happening.TROUBLE, f"the GPU driver answers again, after {took / 1e9:.1f} s")

    def _lost(self, index: int, why: str) -> None:
        self._event(Happening.GPU_LOST, f"GPU {index}: {why}", {Fact.GPU: str(index)})

    def _once(self, text: str) -> None:
        with self._giving:
            if text in self._said:
                return
            self._said.add(text)
        self._event(Happening.TROUBLE, text)

    def _event(self, what: Happening, text: str, facts: Mapping[str, str] | None = None) -> None:
        self._give_event(Event(what=what, name="gpu", at=0, text=text, facts=dict(facts or {})))

    def _give_event(self, event: Event) -> None:
        with self._giving:
            if not self._over:
                self._say(event)


class Card:
    """One card: what it was last asked, what it is not asked again, whether it is lost."""

    def __init__(
        self, nvml: Any, index: int, handle: Any, once: Callable[[str], None], lost: Callable[[int, str], None]
    ) -> None:
        self.handle = handle
        self._nvml, self._index, self._once, self._tell_lost = nvml, index, once, lost
        self._left_out: set[str] = set()
        self._lost = False
        self._uuid = ""
        self._seen = 0  # the newest sample of a process's share, in the driver's own microseconds
        self._failed: dict[str, list[str]] = {}  # of this reading: error -> what failed with it
        self._told: set[str] = set()  # errors: which calls fail with one may change from reading to reading
        self._gone = ""

    def read(self) -> Gpu:
        """Ask all there is to be asked; what gives no answer is None."""
        self._failed, self._gone = defaultdict(list), ""
        self._uuid = self._uuid or self._ask("UUID", ("nvmlDeviceGetUUID",)) or ""
        ecc = self._ask("ECC errors", ("nvmlDeviceGetTotalEccErrors",), UNCORRECTED, VOLATILE)
        shares = self._shares()
        busy = self._ask("kernel time", ("nvmlDeviceGetUtilizationRates",))
        memory = self._ask("memory", ("nvmlDeviceGetMemoryInfo",))
        running = self._ask("processes", tuple(f"nvmlDeviceGetComputeRunningProcesses_v{n}" for n in (3, 2)))
        power = self._ask("power", ("nvmlDeviceGetPowerUsage",))
        clock = self._ask("clock", ("nvmlDeviceGetClockInfo",), SM_CLOCK)
        reasons = self._ask(
            "throttle reasons", tuple(f"nvmlDeviceGetCurrentClocks{n}Reasons" for n in ("Event", "Throttle"))
        )
        self._tell()
        return Gpu(
            index=self._index,
            uuid=self._uuid,
            busy=None if busy is None else busy.gpu,
            memory=None if memory is None else memory.used,
            memory_total=None if memory is None else memory.total,
            processes={str(entry.pid): entry.usedGpuMemory for entry in running or ()},
            process_busy=shares,
            power_mw=power,
            clock_mhz=clock,
            throttle=() if reasons is None else throttle(reasons),
            ecc=ecc,
            error=self._gone or "; ".join(self._failed),
        )

    def _shares(self) -> dict[str, int]:
        """Percent of the time that each process kept the card's multiprocessors busy, since the last reading."""
        what, first = "process shares", not self._seen
        samples = self._ask(what, ("nvmlDeviceGetProcessUtilization",), self._seen) or ()
        self._seen = max((sample.timeStamp for sample in samples), default=self._seen)
        shares = defaultdict(list)
        for sample in samples:
            if sample.smUtil <= 100:  # what some drivers give beyond that is noise, not a share
                shares[str(sample.pid)].append(sample.smUtil)
        return {} if first else {pid: round(sum(of) / len(of)) for pid, of in shares.items()}

    def _ask(self, what: str, names: tuple[str, ...], *arguments: Any) -> Any:
        """What the card says; None: nothing, for a reason that has been noted, or because it is lost."""
        if self._gone or what in self._left_out:
            return None
        try:
            return lib.call(self._nvml, names, self.handle, *arguments)
        except Exception as error:  # noqa: BLE001 - NVML's error classes are made at run time
            number = lib.code(error)
            if number in lib.GONE:
                self._gone = str(error)
            elif number == lib.FUNCTION_NOT_FOUND:
                self._left_out.add(what)
                self._once(f"GPU {what}: not known to this driver's NVML ({error})")
            elif number in {lib.NOT_SUPPORTED, lib.NO_PERMISSION}:
                self._left_out.add(what)
                self._once(f"GPU {self._index}, {what}: {error}")
            elif what != "process shares" or number not in {lib.SUCCESS, lib.NOT_FOUND, lib.INSUFFICIENT_SIZE}:
                self._failed[str(error)].append(what)
            return None

    def _tell(self) -> None:
        if self._gone and not self._lost:
            self._tell_lost(self._index, self._gone)
        elif self._lost and not self._gone:
            self._once(f"GPU {self._index} answers again")
        self._lost = bool(self._gone)
        for error in self._failed.keys() - self._told:
            self._told.add(error)
            self._once(f"GPU {self._index}, {', '.join(self._failed[error])}: {error}")


def throttle(reasons: int) -> tuple[str, ...]:
    """A mask of nvmlClocksEventReasons in NVML's words, of which "None" is one; a bit without one by its number."""
    bits = [1 << n for n in range(reasons.bit_length()) if reasons & 1 << n]
    return tuple(REASONS.get(bit, f"{bit:#x}") for bit in bits) or ("None",)


def foreign(pids: Mapping[str, object], proc: Path = Path("/proc")) -> bool:
    """Whether these pids are certainly not of our pid namespace: it is not the host's, and none of them lives in it.

    NVML names processes by the host's pids. Where some pid does live here, whether it is the same process cannot be
    told, and nothing is said.
    """
    try:
        if not pids or str((proc / "self/ns/pid").readlink()) == INITIAL_NAMESPACE:
            return False
    except OSError:
        return False
    return not any((proc / pid).exists() for pid in pids)
