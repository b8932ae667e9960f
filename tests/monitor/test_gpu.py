"""GPUs, by a stub of the driver's library that the real pynvml loads into the real recorder."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pynvml
import pytest
from msgspec import structs

from seatrial.checks.areas.soak import measured
from seatrial.monitor.gpu.gpu import foreign, throttle
from seatrial.monitor.gpu.xid import words
from seatrial.records import SECOND, Clock, Gpu, LoadRow, Phase, Sample, SoakRun
from seatrial.verdict.summary import unwatched
from tests.monitor.nvml import CARDS, Stub, build
from tests.monitor.processes import Recording
from tests.waiting import until

NEW = 555
STRUCTS = (
    "c_nvmlMemory_t",
    "c_nvmlUtilization_t",
    "c_nvmlProcessInfo_v2_t",
    "c_nvmlProcessInfo_v3_t",
    "c_nvmlProcessUtilizationSample_t",
    "c_nvmlEventData_t",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Callable[[int], Path]:
    """The stub as a driver of some release brings it."""
    return cache(lambda driver: build(tmp_path_factory.mktemp(f"driver-{driver}"), driver))


@pytest.fixture
def record(library, tmp_path) -> Iterator[Callable[..., tuple[Stub, Recording]]]:
    """Start a recorder on a host with the stub; ``_1_power=...`` and the like steer it from the start."""
    made = []

    def start(driver: int = NEW, **values: object) -> tuple[Stub, Recording]:
        stub = Stub(library(driver), tmp_path / "steering", CARDS)
        stub.set(**values)
        made.append(Recording(tmp_path).start(stub.environment))
        return stub, made[-1]

    yield start
    for recording in made:
        recording.close()


def read(recording: Recording, card: int) -> list[Gpu]:
    return [line for line in recording.lines() if isinstance(line, Gpu) and line.index == card]


def said(recording: Recording, what: str = "trouble") -> list[str]:
    return [event.text for event in recording.events(what) if event.name == "gpu"]


def next_reading(recording: Recording, card: int) -> Gpu:
    """One that began after now: the second to come, for the first may be under way."""
    count = len(read(recording, card))
    return until(lambda: read(recording, card)[count + 1 :], "two more readings")[0]


@pytest.mark.parametrize("name", STRUCTS)
def test_the_stub_lays_a_struct_out_as_pynvml_does(library, name):
    struct = getattr(pynvml, name)
    fields = [(field, getattr(struct, field)) for field, *_ in struct._fields_]
    expected = [f"{field} {of.offset} {of.size}" for field, of in fields]
    layout = ctypes.CDLL(str(library(NEW))).stub_layout
    layout.restype = ctypes.c_char_p
    assert layout(name.encode()).decode() == ";".join([*expected, f"sizeof {ctypes.sizeof(struct)}"])


def test_the_energy_of_a_token_is_told_by_the_card_that_holds_the_server(record):
    _, recording = record(_1_power=100_000)
    until(lambda: len(read(recording, 0)) >= 3, "three readings")
    cards = sorted(read(recording, 0) + read(recording, 1), key=lambda gpu: gpu.t)
    since, until_ns = cards[0].t, max(gpu.t for gpu in cards if gpu.index == 0)
    row = LoadRow(id="r", endpoint="a", outcome="ok", intended_at=since, sent_at=since, ended_at=until_ns, tokens=10)
    phases = tuple(Phase(endpoint="a", what=what, at=at) for what, at in (("start", since), ("drain", until_ns)))
    soak = SoakRun(rows=(row,), counters=(), phases=phases, gpus=tuple(cards))
    joules = 251.3 * (until_ns - min(gpu.t for gpu in cards if gpu.index == 0)) / SECOND
    served = structs.replace(soak, samples=(Sample(name="a", pid=4711, incarnation="i"),))
    told = dict(measured.answers(served))["soak: energy"]
    assert told == f"{joules / 10:.2f} J a token, {joules / 3600:.1f} Wh of the GPU in all"
    told = dict(measured.answers(soak))["soak: energy"]
    assert told.endswith("Wh of 2 GPUs, whoever used them, in all")


def test_each_card_is_read_and_what_it_has_not_is_none(record):
    stub, recording = record()
    busy, idle = (until(lambda card=card: read(recording, card), "a reading")[0] for card in (0, 1))
    assert (busy.uuid, busy.busy, busy.memory, busy.memory_total) == ("GPU-aaaa", 44, 17_900_000_000, 25_757_220_864)
    assert (busy.power_mw, busy.clock_mhz, busy.ecc) == (251_300, 1740, 3)
    assert busy.throttle == ("SwPowerCap", "SwThermalSlowdown")
    assert busy.processes == {"4711": 17_800_000_000, "4712": None}
    assert busy.error == ""
    assert (idle.uuid, idle.busy, idle.memory, idle.processes) == ("GPU-bbbb", 0, 0, {})
    assert (idle.power_mw, idle.ecc, idle.throttle, idle.error) == (None, None, ("None",), "")
    stub.set(_1_power=5)  # a card that lacks a figure is not asked for it again: each call may hang
    assert next_reading(recording, 1).power_mw is None
    assert said(recording) == ["GPU 1, ECC errors: Not Supported", "GPU 1, power: Not Supported"]


def test_a_process_s_share_is_of_the_samples_since_the_last_reading(record):
    stub, recording = record()
    first = until(lambda: read(recording, 0), "a reading")[0]
    assert first.process_busy == {}  # what is in the driver's ring is of a time before the watch
    assert next_reading(recording, 0).process_busy == {}
    stub.set(_0_samples="4711:90@1000,4711:30@2000,4711:60@2100,4712:7@2100,4713:4000000000@2100")
    shares = until(lambda: [g.process_busy for g in read(recording, 0) if g.process_busy], "a share")
    assert shares == [{"4711": 45, "4712": 7}]
    stub.set(samples_end=0)  # some drivers say "none" by SUCCESS, which pynvml raises as an error of its own
    assert next_reading(recording, 0).process_busy == {}
    assert not [text for text in said(recording) if "process shares" in text]


@pytest.mark.parametrize(("status", "words"), [(15, "GPU is lost"), (16, "GPU requires restart")])
def test_a_card_lost_in_mid_run_is_said_once_and_the_other_goes_on(record, status, words):
    stub, recording = record(_1_event_types=None)
    until(lambda: read(recording, 1), "a reading")
    stub.set(_1_status=status)
    lost = until(lambda: [g for g in read(recording, 1) if g.error], "the loss")[0]
    assert lost == Gpu(v=lost.v, w=lost.w, n=lost.n, t=lost.t, index=1, uuid="GPU-bbbb", error=words)
    assert next_reading(recording, 0).busy == 44
    assert next_reading(recording, 1).error == words
    (event,) = recording.events("gpu-lost")
    assert (event.name, event.text, event.facts) == ("gpu", f"GPU 1: {words}", {"gpu": "1"})
    stub.set(_1_status=None)
    until(lambda: "GPU 1 answers again" in said(recording), "its return")


def test_a_card_that_is_lost_at_the_start_leaves_the_others(record):
    _, recording = record(_0_status=15)
    until(lambda: read(recording, 1), "a reading")
    assert said(recording, "gpu-lost") == ["GPU 0: GPU is lost"]
    assert not read(recording, 0)


def test_an_error_that_may_pass_is_said_once_and_asked_again(record):
    stub, recording = record(_0_status=999)  # a container whose devices were taken away sees this
    until(lambda: any("Unknown Error" in text for text in said(recording)), "the error")
    assert said(recording)[0] == "GPU 0 cannot be watched: Unknown Error"
    stub.set(_1_status=999)
    until(lambda: [g for g in read(recording, 1) if g.error == "Unknown Error"], "the error")
    next_reading(recording, 1)
    texts = [text for text in said(recording) if text.startswith("GPU 1") and "Unknown Error" in text]
    assert len(texts) == 1  # which calls it names depends on where in a reading it began
    stub.set(_1_status=None)
    until(lambda: read(recording, 1)[-1].error == "", "its end")


def test_xids_are_events_from_the_start_on(record):
    stub, recording = record()
    until(lambda: read(recording, 0), "a reading")
    stub.set(xids="1:79,0:31,0:999,0:0x4000!")
    until(lambda: any("GPU unavailable" in text for text in said(recording)), "the last event")
    found = [(event.text, event.facts) for event in recording.events("xid") if event.name == "gpu"]
    assert found == [
        ("GPU 1: Xid 79, GPU has fallen off the bus", {"gpu": "1", "xid": "79"}),
        ("GPU 0: Xid 31, GPU memory page fault", {"gpu": "0", "xid": "31"}),
        ("GPU 0: Xid 999", {"gpu": "0", "xid": "999"}),
    ]
    assert "GPU 0: the driver reports: GPU unavailable" in said(recording)
    stub.set(_1_status=15)  # NVML then answers each wait with the loss, at once
    until(lambda: "waiting for Xids: GPU is lost" in said(recording), "the loss")
    stub.set(xids="1:79,0:31,0:999,0:0x4000!,0:119")
    until(lambda: recording.events("xid")[3:], "an Xid of the card that is left")


def test_cards_without_events_are_named_and_their_figures_go_on(record):
    _, recording = record(_0_event_types=None, _1_event_types=1)
    until(lambda: read(recording, 0) and len(said(recording)) == 4, "a reading")
    assert "Xids of GPU 0 are not heard: Not Supported" in said(recording)
    assert "Xids of GPU 1 are not heard: Xid events are not supported" in said(recording)


def test_no_events_at_all(record):
    _, recording = record(events=4)
    until(lambda: "Xids are not heard: Insufficient Permissions" in said(recording), "why not")
    assert next_reading(recording, 0).busy == 44


@pytest.mark.parametrize("driver", [470, 440])
def test_an_older_driver_gives_what_it_has(record, driver):
    stub, recording = record(driver)
    reading = until(lambda: read(recording, 0), "a reading")[0]
    assert (reading.busy, reading.throttle) == (44, ("SwPowerCap", "SwThermalSlowdown"))
    next_reading(recording, 0)
    unknown = [text for text in said(recording) if "Function Not Found" in text]
    if driver == 470:  # by the names that functions had before
        assert reading.processes == {"4711": 17_800_000_000, "4712": None}
        assert unknown == []
        stub.set(xids="0:79")
        until(lambda: recording.events("xid"), "an Xid")
    else:
        assert reading.processes == {}
        assert sorted(unknown) == [
            "GPU processes: not known to this driver's NVML (Function Not Found)",
            "Xids are not heard: the driver's NVML is too old (nvmlEventSetWait_v2: Function Not Found)",
        ]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"init": 9}, "no GPU on this host: Driver Not Loaded"),
        ({"count": 0}, "no GPU on this host: the driver lists none"),
        ({"init": 18}, "GPUs not observable: RM has detected an NVML/RM version mismatch."),
        ({"init": 13}, "GPUs not observable: the driver's NVML is older than pynvml can speak to: Function Not Found"),
    ],
)
def test_no_driver_and_no_card_are_said_once(record, values, text):
    _, recording = record(**values)
    until(lambda: said(recording), "why not")
    recording.seal()
    assert said(recording) == [text]
    assert not read(recording, 0)


def test_a_library_that_cannot_be_loaded_is_as_none(record, library, tmp_path):
    (tmp_path / "libnvidia-ml.so.1").write_text("no library at all")
    recording = Recording(tmp_path / "second").start({"LD_LIBRARY_PATH": str(tmp_path)})
    try:
        (text,) = until(lambda: said(recording), "why not")
        assert text.startswith("no GPU on this host: ")
        assert "libnvidia-ml.so.1" in text
    finally:
        recording.close()


def test_a_call_that_hangs_delays_no_heartbeat(record):
    stub, recording = record()
    until(lambda: read(recording, 0), "a reading")
    stub.set(hang=1)
    slow = "the GPU driver has not answered for 3 s: no GPU figures until then"
    until(lambda: slow in said(recording), "the word")
    read_before = len(read(recording, 0))
    beats = [line.t for line in recording.lines() if isinstance(line, Clock)]
    until(lambda: len([x for x in recording.lines() if isinstance(x, Clock)]) >= len(beats) + 2, "two seconds more")
    assert len(read(recording, 0)) == read_before
    stub.set(hang=0)
    until(
        lambda: any(text.startswith("the GPU driver answers again, after ") for text in said(recording)), "its return"
    )
    assert next_reading(recording, 0).busy == 44
    recording.seal()
    lines = recording.lines()
    assert unwatched([line.t for line in lines if isinstance(line, Clock)], lines[-1].t) == []
    assert said(recording).count(slow) == 1


def test_a_record_is_sealed_while_a_call_hangs(record):
    stub, recording = record()
    until(lambda: read(recording, 0), "a reading")
    stub.set(hang=1)
    until(lambda: any("has not answered" in text for text in said(recording)), "the word")
    recording.seal()
    assert [event.what for event in recording.events("seal")] == ["seal"]


def host(environment: dict[str, str], code: str) -> str:
    """What a process prints that sees the stub."""
    ran = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


def test_its_threads_end_when_it_is_closed(library, tmp_path):
    stub = Stub(library(NEW), tmp_path / "steering", CARDS)
    code = """
import threading
from seatrial.monitor.gpu.gpu import Gpus
came = threading.Event()
gpus = Gpus(lambda line: came.set(), print)
gpus.ask()
assert came.wait(10)
threads = [thread for thread in threading.enumerate() if thread.name in ("gpus", "xids")]
gpus.close()
for thread in threads:
    thread.join(10)
print(*sorted(thread.name for thread in threads), *(thread.name for thread in threading.enumerate()))
"""
    assert host(stub.environment, code).splitlines()[-1] == "gpus xids MainThread"


def test_the_doctor_names_driver_cards_and_events(library, tmp_path):
    stub = Stub(library(NEW), tmp_path / "steering", CARDS)
    code = "from seatrial.cli.doctor import CHECKS; print(dict((n, f) for n, f, _ in CHECKS)['nvml']())"
    assert host(stub.environment, code) == "driver 555.42.06: Stub A, Stub B; Xid events can be registered for"
    stub.set(_1_event_types=None)
    assert host(stub.environment, code).endswith("Stub B; Xid events cannot be heard (Not Supported)")
    describe = "from seatrial.monitor.gpu.gpu import describe; print(*describe(), sep='|')"
    assert host(stub.environment, describe) == "Stub A, Stub B|"
    for values, why in (
        ({"init": 9}, "none on this host (Driver Not Loaded)"),
        ({"init": 999}, "not observable (Unknown Error)"),
        ({"init": 0, "count": 0}, "none on this host (the driver lists none)"),
    ):
        stub.set(**values)
        assert host(stub.environment, describe) == f"|{why}"


def test_pids_of_the_host_are_known_to_be_foreign_only_where_that_is_certain(tmp_path):
    (tmp_path / "self/ns").mkdir(parents=True)
    (tmp_path / "17").mkdir()
    assert not foreign({"4711": 1}, tmp_path)  # no namespaces to be read
    (tmp_path / "self/ns/pid").symlink_to("pid:[4026533333]")
    assert foreign({"4711": 1, "4712": None}, tmp_path)
    assert not foreign({"4711": 1, "17": 2}, tmp_path)
    assert not foreign({}, tmp_path)
    (tmp_path / "self/ns/pid").unlink()
    (tmp_path / "self/ns/pid").symlink_to("pid:[4026531836]")
    assert not foreign({"4711": 1}, tmp_path)


def test_masks_and_numbers_in_words():
    assert throttle(0) == ("None",)
    assert throttle(0x81) == ("GpuIdle", "HwPowerBrakeSlowdown")
    assert throttle(0x400) == ("0x400",)
    assert words(154) == "Xid 154, GPU recovery action changed"
    assert words(12) == "Xid 12"
