"""GPUs, by stand-ins for NVML: whether there is one, and what becomes of it, is known by construction."""

from __future__ import annotations

import threading
from types import SimpleNamespace

from seatrial.monitor.gpu import Gpus
from seatrial.records import Gpu


class Lost(Exception):
    """As NVML's own errors: made at run time, of no class known before."""


class Nvml:
    """Two cards; what a card does not do raises."""

    def __init__(self) -> None:
        self.lost = False
        self.count = 2

    def nvmlInit(self): ...  # noqa: N802
    def nvmlShutdown(self): ...  # noqa: N802

    def nvmlDeviceGetCount(self):  # noqa: N802
        return self.count

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
        return index

    def _ask(self, card, value):
        if self.lost and card == 1:
            raise Lost("GPU is lost")
        return value

    def nvmlDeviceGetUUID(self, card):  # noqa: N802
        return self._ask(card, f"GPU-{card}".encode())

    def nvmlDeviceGetUtilizationRates(self, card):  # noqa: N802
        return self._ask(card, SimpleNamespace(gpu=44))

    def nvmlDeviceGetMemoryInfo(self, card):  # noqa: N802
        return self._ask(card, SimpleNamespace(used=17 * 10**9))

    def nvmlDeviceGetComputeRunningProcesses(self, card):  # noqa: N802
        return self._ask(card, [SimpleNamespace(pid=7, usedGpuMemory=None)])

    def nvmlDeviceGetPowerUsage(self, _card):  # noqa: N802
        raise Lost("Not Supported")


class Record:
    """What the thread has handed over."""

    def __init__(self, nvml) -> None:
        self.read: list[Gpu] = []
        self.said: list[str] = []
        self.came = threading.Condition()
        self.gpus = Gpus(self._take, self._say, nvml)

    def _take(self, line: Gpu) -> None:
        with self.came:
            self.read.append(line)
            self.came.notify_all()

    def _say(self, text: str) -> None:
        with self.came:
            self.said.append(text)
            self.came.notify_all()

    def ask(self, lines: int) -> list[Gpu]:
        """Ask once; the readings once there are as many."""
        self.gpus.ask()
        with self.came:
            assert self.came.wait_for(lambda: len(self.read) >= lines, 10)
            return self.read[lines - 2 :]


def test_each_card_is_read_and_what_it_cannot_do_is_none():
    record = Record(Nvml())
    one, two = record.ask(2)
    assert (one.index, one.uuid, one.busy, one.memory, one.processes) == (0, "GPU-0", 44, 17 * 10**9, {"7": None})
    assert (one.power_mw, one.error) == (None, "Not Supported")
    assert two.index == 1
    record.gpus.close()


def test_a_card_lost_in_mid_run_is_said_once_and_the_other_goes_on():
    nvml = Nvml()
    record = Record(nvml)
    record.ask(2)
    nvml.lost = True
    for lines in (4, 6):
        whole, lost = record.ask(lines)
        assert whole.busy == 44
        assert (lost.busy, lost.memory, lost.processes) == (None, None, {})
        assert "GPU is lost" in lost.error
    assert [text for text in record.said if "lost" in text] == ["GPU 1: GPU is lost"]
    record.gpus.close()


def test_no_driver_and_no_card_are_said_once():
    broken, none = Nvml(), Nvml()
    broken.nvmlInit = lambda: (_ for _ in ()).throw(Lost("Driver Not Loaded"))
    none.count = 0
    for nvml, word in ((broken, "Driver Not Loaded"), (none, "lists none")):
        record = Record(nvml)
        with record.came:
            assert record.came.wait_for(lambda record=record: record.said, 10)
        record.gpus.ask()
        record.gpus.close()
        assert len(record.said) == 1
        assert word in record.said[0]
        assert record.said[0].startswith("no GPU on this host")
        assert not record.read
