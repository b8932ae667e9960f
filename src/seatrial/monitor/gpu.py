"""GPUs through NVML, sampled in a thread of its own: a card that has fallen off its bus can hold a call for long.

Each state of affairs is said once: no driver here, a card that fails, a card that is lost while we watch.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

from seatrial.records import Gpu

Say = Callable[[str], None]


def _load() -> ModuleType:
    """pynvml, if there is a driver for it to speak to: it is large, and most machines have no use for it.

    Raises:
        OSError: no libnvidia-ml.
    """
    ctypes.CDLL("libnvidia-ml.so.1")
    import pynvml

    return cast("ModuleType", pynvml)


class Gpus:
    """The cards of this machine.

    Args:
        take: given each reading, from the thread.
        say: given each thing said once, from the thread.
        nvml: pynvml, or what stands in for it; imported in the thread when not given.
    """

    def __init__(self, take: Callable[[Gpu], None], say: Say, nvml: ModuleType | Any = None) -> None:
        self._take, self._say, self._nvml = take, say, nvml
        self._said: set[str] = set()
        self._asked = threading.Event()
        self._over = False
        self._thread = threading.Thread(target=self._work, name="gpus", daemon=True)
        self._thread.start()

    def ask(self) -> None:
        """Read every card once, unless the last reading still runs or there is none."""
        self._asked.set()

    def close(self) -> None:
        self._over = True
        self._asked.set()

    def _work(self) -> None:
        try:
            if self._nvml is None:
                self._nvml = _load()
            self._nvml.nvmlInit()
            cards = [self._nvml.nvmlDeviceGetHandleByIndex(i) for i in range(self._nvml.nvmlDeviceGetCount())]
        except Exception as error:  # noqa: BLE001 - a broken driver or library is a fact to be recorded
            self._once(f"no GPU on this host: {error}")
            return
        if not cards:
            self._once("no GPU on this host: the driver lists none")
            return
        while True:
            self._asked.wait()
            self._asked.clear()
            if self._over:
                break
            for index, card in enumerate(cards):
                self._take(self._read(index, card))
        with contextlib.suppress(Exception):
            self._nvml.nvmlShutdown()

    def _read(self, index: int, card: Any) -> Gpu:
        nvml, troubles = self._nvml, []

        def ask(call: Callable[[], Any]) -> Any:
            try:
                return call()
            except Exception as error:  # noqa: BLE001 - NVML's error classes are made at run time
                if str(error) not in troubles:
                    troubles.append(str(error))
                return None

        uuid = ask(lambda: nvml.nvmlDeviceGetUUID(card)) or ""
        busy = ask(lambda: nvml.nvmlDeviceGetUtilizationRates(card).gpu)
        memory = ask(lambda: nvml.nvmlDeviceGetMemoryInfo(card).used)
        running = ask(lambda: nvml.nvmlDeviceGetComputeRunningProcesses(card)) or []
        power = ask(lambda: nvml.nvmlDeviceGetPowerUsage(card))
        for trouble in troubles:
            self._once(f"GPU {index}: {trouble}")
        return Gpu(
            index=index,
            uuid=uuid.decode() if isinstance(uuid, bytes) else uuid,
            busy=busy,
            memory=memory,
            processes={str(entry.pid): entry.usedGpuMemory for entry in running},
            power_mw=power,
            error="; ".join(troubles),
        )

    def _once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._say(text)


def describe() -> tuple[str, str]:
    """The names of this machine's cards in a line, or nothing and why there are none to be seen."""
    try:
        import pynvml  # as above

        pynvml.nvmlInit()
        try:
            handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
            names = [str(pynvml.nvmlDeviceGetName(handle)) for handle in handles]
        finally:
            pynvml.nvmlShutdown()
    except Exception as error:  # noqa: BLE001 - NVML's error classes are made at run time
        return "", f"none on this host ({error})"
    return ", ".join(names), "" if names else "none on this host (the driver lists none)"
