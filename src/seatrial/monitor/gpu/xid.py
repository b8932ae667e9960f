"""Xids: the errors a GPU's driver reports, waited for in a thread of their own.

NVML tells of them from registration on and not of the past; the kernel's log, where there may be more, is closed to
most users. The words are those of NVIDIA's Xid catalogue (docs.nvidia.com/deploy/xid-errors).
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from seatrial.monitor.gpu import nvml as lib
from seatrial.records import Event, Fact, Happening

WORDS = {
    8: "GPU stopped processing",
    13: "graphics engine exception",
    31: "GPU memory page fault",
    43: "GPU stopped processing, channel reset",
    48: "double bit ECC error",
    63: "GPU memory remapping event",
    64: "GPU memory remapping failure",
    74: "NVLink error",
    79: "GPU has fallen off the bus",
    94: "contained memory error",
    95: "uncontained memory error",
    119: "GSP RPC timeout",
    120: "GSP error",
    154: "GPU recovery action changed",
}
WAIT_MS = 400
"""Of one wait for events: how late :meth:`Xids.close` may be heard."""
_NO_INSTANCE = 0xFFFFFFFF


def words(number: int) -> str:
    """An Xid in words: "Xid 79, GPU has fallen off the bus"; one that the catalogue's extract lacks, by number."""
    return f"Xid {number}, {WORDS[number]}" if number in WORDS else f"Xid {number}"


class Xids:
    """The event thread.

    Args:
        nvml: pynvml, initialised; it must stay so until :meth:`close` has returned.
        cards: handles by index.
        say: given each event, from the thread.
        once: given each thing that is said once.
    """

    def __init__(
        self,
        nvml: Any,
        cards: Mapping[int, Any],
        *,
        say: Callable[[Event], None],
        once: Callable[[str], None],
    ) -> None:
        self._nvml, self._say, self._once = nvml, say, once
        self._over = threading.Event()
        self._indexes = {_address(card): index for index, card in cards.items()}
        self._thread = threading.Thread(target=self._work, args=(dict(cards),), name="xids", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread: within a wait, unless the driver hangs."""
        self._over.set()
        self._thread.join(WAIT_MS / 1000 * 2)

    def _work(self, cards: dict[int, Any]) -> None:
        events = self._registered(cards)
        if events is None:
            return
        try:
            while not self._over.is_set():
                if not self._wait(events):
                    break
        finally:
            with contextlib.suppress(Exception):
                self._nvml.nvmlEventSetFree(events)

    def _registered(self, cards: dict[int, Any]) -> Any:
        """A set in which the events of all cards that give any arrive; None: none does."""
        try:
            events = lib.call(self._nvml, ("nvmlEventSetCreate",))
        except Exception as error:  # noqa: BLE001 - NVML's error classes are made at run time
            self._once(f"Xids are not heard: {error}")
            return None
        heard = False
        for index, card in cards.items():
            try:
                lib.register(self._nvml, events, card)
                heard = True
            except Exception as error:  # noqa: BLE001 - as above
                self._once(f"Xids of GPU {index} are not heard: {error}")
        return events if heard else None

    def _wait(self, events: Any) -> bool:
        """Wait once; False: there is no sense in waiting again."""
        try:
            data = lib.call(self._nvml, ("nvmlEventSetWait_v2",), events, WAIT_MS)
        except Exception as error:  # noqa: BLE001 - as above
            number = lib.code(error)
            if number == lib.TIMEOUT:
                return True
            if number == lib.FUNCTION_NOT_FOUND:
                self._once("Xids are not heard: the driver's NVML is too old (nvmlEventSetWait_v2: Function Not Found)")
                return False
            self._once(f"waiting for Xids: {error}")  # of a lost card too: the readings tell which one it is
            self._over.wait(WAIT_MS / 1000)  # such an error comes back at once, each time
            return True
        self._tell(data, time.monotonic_ns())
        return True

    def _tell(self, data: Any, at: int) -> None:
        index = self._indexes.get(_address(data.device))
        card = "?" if index is None else str(index)
        if data.eventType != lib.XID:
            name = lib.OTHER_EVENTS.get(data.eventType, f"event {data.eventType:#x}")
            self._once(f"GPU {card}: the driver reports: {name}")
            return
        facts: dict[str, str] = {Fact.GPU: card, Fact.XID: str(data.eventData)}
        if data.gpuInstanceId != _NO_INSTANCE:
            facts[Fact.INSTANCE] = str(data.gpuInstanceId)
        self._say(
            Event(what=Happening.XID, name="gpu", at=at, text=f"GPU {card}: {words(data.eventData)}", facts=facts)
        )


def _address(card: Any) -> int | None:
    """NVML's handle is a pointer; pynvml makes a new object of it each time."""
    return ctypes.cast(card, ctypes.c_void_p).value
