"""The timeline: seven lanes, nine with a soak; what is missing says why; and it is SVG that loads and runs nothing."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import msgspec
import pytest

from seatrial.records import SECOND, Ask, Clock, Event, Gpu, Probe, Sample, Stop
from seatrial.report.run import Report
from seatrial.report.timeline import draw
from seatrial.report.timeline.lanes import Series, gaps, lanes, marks
from seatrial.report.timeline.spans import COLUMNS, Window
from seatrial.report.timeline.waits import bands
from seatrial.report.words.plain import Wall
from tests.report.sample import HOSTILE, NAME, Trial, at, case, judged_run, kill
from tests.report.soak import nights

LANES = ["process", "socket", "probes", "in flight", "tokens", "latency", "errors", "memory", "GPU"]


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter() if element.tag.endswith(("}text", "}title"))]


def lane(judged, name: str):
    seen = Series.of(judged.lines, NAME)
    window = seen.window()
    assert window is not None
    return next(found for found in lanes(seen, window, judged.stops) if found.name == name)


def test_all_lanes_stand_on_one_axis(sunk):
    svg = Report(sunk).timeline(NAME)
    said = texts(svg)
    assert [name for name in said if name in LANES] == LANES
    assert {"21:00:00", "21:02:00", "UTC"} <= set(said)


def test_stops_phases_and_gaps_are_marked(sunk):
    said = texts(Report(sunk).timeline(NAME))
    assert "STOPPED" in said
    assert {"soak: start", "soak: end"} <= set(said)
    assert "nobody watched for 10.0 s" in said
    assert "no GPU: NVML not found" in said


def test_each_colour_that_is_seen_is_told_below_and_no_other(sunk, calm):
    for svg in (Report(sunk).timeline(NAME), Report(calm).timeline(NAME)):
        said = texts(svg)
        for tone, text in draw.MEANS.items():
            used = len(re.findall(f'fill="{draw.TONES[tone]}"(?! fill-opacity)', svg))
            assert (text in said) == bool(used), (tone, used)
        assert ("nobody looked" in said) == ("url(#st-gap" in svg)
        box = ET.fromstring(svg).attrib["viewBox"].split()
        assert max(float(y) for y in re.findall(r'<text[^>]* y="([0-9.]+)"', svg)) < float(box[3])


def test_around_a_stop_it_shows_a_minute(sunk):
    svg = Report(sunk).around(sunk.stops[0])
    assert {"21:00:03", "21:02:00"} <= set(texts(svg))


def test_it_holds_nothing_that_runs_or_loads(sunk):
    for svg in (Report(sunk).timeline(NAME), Report(sunk).around(sunk.stops[0])):
        assert not re.search(r"<script|<image|<foreignObject|<use|<style|\shref|\son\w+=|@import|url\((?!#)", svg)
        assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]


def test_hostile_text_is_text(tmp_path):
    trial = Trial(tmp_path / "run")
    trial.watch(5)
    run = trial.write()
    lines = [
        Event(w="recorder", t=at(1), what="trouble", name="gpu", at=at(1), text=f"nvml: {HOSTILE}"),
        *run.in_time(),
    ]
    judged = judged_run(run, [case("sse/role-is-sent-once", "x", "PASS")])
    svg = Report(type(judged)(**{**vars(judged), "lines": tuple(lines)})).timeline(NAME)
    assert "<script" not in svg
    assert "\x1b" not in svg
    assert any("nvml: <script>" in text for text in texts(svg))


def test_nothing_recorded_is_no_timeline(calm):
    assert Report(calm).timeline("another") == ""
    assert Report(calm).around(Stop(name="another", family="DEAF", alive_at=at(1), dead_at=at(2))) == ""


def test_requests_in_flight_end_with_the_stop_that_took_them(sunk):
    curve = dict(lane(sunk, "in flight").curve)
    before = max(value for time, value in curve.items() if time < at(63))
    after = max(value for time, value in curve.items() if time > at(64))
    assert (before, after) == (4, 0)


def test_tokens_add_up(sunk):
    found = lane(sunk, "tokens")
    times = [time for time, _ in found.curve]
    step = (times[1] - times[0]) / SECOND
    assert sum(value for _, value in found.curve) * step == pytest.approx(12 * 40, rel=0.02)


def test_a_silent_socket_is_not_drawn_as_a_listening_one(sunk):
    spans = lane(sunk, "socket").spans
    assert [span.tone for span in spans] == ["good", "bad", "bad"]
    assert spans[0].end == at(63)
    assert (spans[1].end, spans[2].start) == (at(80), at(90))


def test_a_frozen_process_and_its_children_show():
    seen = Series()
    for second in range(10):
        state = "T" if 3 <= second <= 6 else "S"
        seen.take(Sample(t=at(second), name=NAME, pid=1, incarnation="a", state=state, memory=100), NAME)
        seen.take(Sample(t=at(second), name=NAME, pid=2, parent=1, incarnation="b", state="S", memory=50_000_000), NAME)
    process, *_, memory, _ = lanes(seen, Window(at(0), at(9)), ())
    assert [(span.tone, span.row) for span in process.spans] == [("first", 0), ("frozen", 0), ("first", 1)]
    assert process.spans[2].text == "child pid 2 of 1"
    assert (process.spans[1].start, process.spans[1].end) == (at(3), at(6))
    assert max(value for _, value in memory.curve) == pytest.approx(50.0001)


def test_an_unreadable_value_is_not_zero():
    seen = Series()
    for second in range(5):
        seen.take(Sample(t=at(second), name=NAME, pid=1, incarnation="a", memory=None), NAME)
        seen.take(Probe(t=at(second), name=NAME, listens=None, why="no sock_diag"), NAME)
        seen.take(Gpu(t=at(second), index=0, uuid="u", busy=None, error="driver gone"), NAME)
    _, socket, _, _, tokens, memory, gpu = lanes(seen, Window(at(0), at(4)), ())
    assert socket.spans[0].text == "not observable"
    assert (memory.curve, gpu.curve, gpu.why) == ((), (), "driver gone")
    assert tokens.why


def test_a_child_that_was_replaced_stands_in_the_other_row():
    seen = Series()
    for second in range(10):
        child = "b" if second < 5 else "c"
        seen.take(Sample(t=at(second), name=NAME, pid=1, incarnation="a"), NAME)
        seen.take(Sample(t=at(second), name=NAME, pid=2, parent=1, incarnation=child), NAME)
    process = lanes(seen, Window(at(0), at(9)), ())[0]
    assert [(span.row, span.tone) for span in process.spans[1:]] == [(1, "first"), (2, "second")]
    said = texts(draw.draw("a", seen, Window(at(0), at(9)), (), Wall([])))
    assert {"children", "child pid 2 of 1"} <= set(said)


def test_the_upper_rungs_stand_below_the_probes():
    seen = Series()
    for second in range(20):
        silent = second > 8
        ask = Ask(t=at(second), name=NAME, rung="scheduler", id=f"s-{min(second, 9)}", asked_at=at(min(second, 9)),
                  ended_at=0 if silent else at(second), outcome="" if silent else "ok")  # fmt: skip
        seen.take(ask, NAME)
        seen.take(Probe(t=at(second), name=NAME, health=200), NAME)
    for n, (outcome, right, skipped) in enumerate((("ok", None, ""), ("ok", False, ""), ("", None, "held alone\x1b"))):
        seen.take(Ask(t=at(8 * n), name=NAME, rung="canary", id=f"c-{n}", asked_at=at(8 * n), ended_at=at(8 * n),
                      outcome=outcome, right=right, skipped=skipped), NAME)  # fmt: skip
    seen.take(Ask(t=at(1), name="other", rung="canary", id="x", asked_at=at(1)), NAME)
    probes = lanes(seen, Window(at(0), at(19)), ())[2]
    assert [(span.row, span.tone) for span in probes.spans] == [
        (0, "good"), (1, "good"), (1, "odd"), (2, "good"), (2, "bad"), (2, "blind")
    ]  # fmt: skip
    assert probes.spans[2].text == "scheduler asked, no answer yet"
    assert probes.spans[-1].text == "canary not asked: held alone\\x1b"
    assert probes.below == ("scheduler", "canary")


def test_without_questions_the_probes_have_no_thin_rows(sunk):
    assert lane(sunk, "probes").below == ()
    assert lane(sunk, "process").below == ()


def test_what_is_no_silent_stop_is_a_mark(calm):
    window = Window(at(0), at(10))
    more = {"name": NAME, "alive_at": at(3), "dead_at": at(4)}
    stops = [Stop(family="CLOCK STEPPED", step_ns=-2 * SECOND, **more), Stop(family="STREAM STALL", **more)]
    svg = draw.draw(NAME, Series.of(calm.lines, NAME), window, stops, Wall(calm.lines))
    assert {"clock stepped -2.00 s", "STREAM STALL"} <= set(texts(svg))
    assert "silent stop:" not in svg


def test_how_busy_a_gpu_was_says_of_what():
    seen = Series()
    for second in range(5):
        seen.take(Gpu(t=at(second), index=0, uuid="a", busy=10 * second), NAME)
        seen.take(Gpu(t=at(second), index=1, uuid="b", busy=7), NAME)
        seen.take(Event(what="trouble", name="gpu", at=at(second), text="GPU 1, power: Not Supported"), NAME)
    seen.take(Event(what="xid", name="gpu", at=at(3), text=f"GPU 1: Xid 79{HOSTILE}"), NAME)
    seen.take(Event(what="gpu-lost", name="gpu", at=at(4), text="GPU 1: GPU is lost"), NAME)
    window = Window(at(0), at(4))
    gpu = lanes(seen, window, ())[-1]
    assert [value for _, value in gpu.curve] == [7, 10, 20, 30, 40]
    assert gpu.unit == "% busy"
    assert gpu.note.startswith(
        "busy: percent of the driver's last sample period in which a kernel ran, the busiest of 2"
    )
    svg = draw.draw("a", seen, window, (), Wall([]))
    assert any(text.startswith("busy: percent of the driver's") for text in texts(svg))
    assert [(mark.at, mark.text[:13]) for mark in marks(seen, window)] == [
        (at(3), "GPU 1: Xid 79"),
        (at(4), "GPU 1: GPU is"),
    ]
    assert "\x1b" not in marks(seen, window)[0].text


def test_a_gpu_lane_that_is_empty_says_what_it_lacks():
    seen = Series()
    seen.take(Gpu(t=at(1), index=0, uuid="a", power_mw=1), NAME)
    for text in ("GPU 0, power: Not Supported", "GPU 0, kernel time: Not Supported"):
        seen.take(Event(what="trouble", name="gpu", at=at(1), text=text), NAME)
    assert lanes(seen, Window(at(0), at(4)), ())[-1].why == "GPU 0, kernel time: Not Supported"


def test_a_night_stays_small():
    seen = Series()
    for second in range(8 * 3600):
        seen.take(Sample(t=at(second), name=NAME, pid=1, incarnation="a", memory=second), NAME)
        seen.take(Probe(t=at(second), name=NAME, listens=True, health=200), NAME)
    window = seen.window()
    assert window is not None
    assert all(len(found.curve) <= COLUMNS + 2 and len(found.spans) <= 2 for found in lanes(seen, window, ()))


def test_a_late_heartbeat_is_no_gap():
    seen = Series(beats=[at(0), at(2.9), at(6), at(7)])
    assert [(span.start, span.end) for span in gaps(seen, Window(at(0), at(7)))] == [(at(2.9), at(6))]


def test_the_silence_from_the_last_heartbeat_to_the_end_of_the_record_is_a_gap():
    seen = Series()
    for second in (0, 1, 2):
        seen.take(Clock(w="recorder", t=at(second), wall_ns=0, boot_ns=0, raw_ns=0), NAME)
    seen.take(Probe(t=at(9), name="another", listens=True), NAME)
    assert [(span.start, span.end) for span in gaps(seen, Window(at(0), at(9)))] == [(at(2), at(9))]
    assert [(span.start, span.end) for span in gaps(seen, Window(at(0), at(6)))] == [(at(2), at(6))]


def test_each_timeline_is_drawn_once(sunk, monkeypatch):
    real, drawn = draw.draw, []
    monkeypatch.setattr(draw, "draw", lambda *told: drawn.append(told[0]) or real(*told))
    report = Report(sunk)
    for _ in range(2):
        assert report.timeline(NAME) != report.around(sunk.stops[0])
    assert drawn == [NAME, NAME]


def test_planned_stops_are_not_drawn_as_silent(sunk):
    planned = msgspec.structs.replace(kill(()), planned=True)
    judged = type(sunk)(**{**vars(sunk), "stops": (planned,)})
    assert "STOPPED" not in texts(Report(judged).timeline(NAME))


def soaked(**changed):
    seen = Series.of([*nights.lines(**changed)], NAME)
    window = seen.window()
    assert window is not None
    return seen, window


def test_a_soak_adds_waits_and_errors_and_its_phases_are_bands():
    seen, window = soaked()
    found = {each.name: each for each in lanes(seen, window, ())}
    assert list(found) == LANES
    latency, errors = found["latency"], found["errors"]
    assert (max(v for _, v in latency.curve), min(v for _, v in latency.curve)) == (10.2, pytest.approx(0.2))
    assert max(value for _, value in latency.upper) == 10.2
    assert len(latency.beyond) == 1  # where three were dropped
    assert (sum(bar.filled for bar in errors.bars), sum(bar.outlined for bar in errors.bars)) == (3, 3)
    assert [(band.text, band.start) for band in bands(seen.phases, window)] == [
        ("closed", at(0)),
        ("open 1/s", at(100)),
    ]
    svg = draw.draw("a", seen, window, (), Wall([]))
    assert {"closed", "open 1/s", "soak: start", "soak: drain", "latency", "errors"} <= set(texts(svg))
    assert svg.count('stroke-dasharray="4 2"') >= 1
    assert not re.search(r"<script|<image|<foreignObject|<style|\shref|\son\w+=|url\((?!#)", svg)


def test_a_load_in_which_nothing_went_wrong_says_so():
    seen = Series()
    for n in range(50):
        seen.take(nights.row(n + 1, n), NAME)
    *_, errors, _, _ = lanes(seen, Window(at(0), at(50)), ())
    assert (errors.bars, errors.why) == ((), "of 50 requests none went wrong, and none was dropped")


def test_curves_are_not_drawn_over_times_in_which_nothing_was_sent():
    seen = Series()
    for n in (*range(50), *range(150, 200)):
        seen.take(nights.row(n + 1, n), NAME)
    svg = draw.draw("a", seen, Window(at(0), at(200)), (), Wall([]))
    assert svg.count('class="st-upper"') == 2


def test_a_hostile_phase_is_text_and_a_narrow_one_has_its_name_in_the_tooltip():
    seen = Series()
    seen.take(nights.phase(HOSTILE, "open", 0), NAME)
    seen.take(nights.phase("evening", "rest", 199.9), NAME)
    seen.take(nights.stage("end", 200), NAME)
    seen.take(nights.row(1, 5), NAME)
    svg = draw.draw("a", seen, Window(at(0), at(200)), (), Wall([]))
    assert "<script" not in svg
    assert "\x1b" not in svg
    assert "<title>evening</title>" in svg
    assert ">evening</text>" not in svg


def test_a_night_of_many_requests_is_drawn_small():
    seen = Series()
    for n in range(36_000):  # as many bins as of ten times as many
        seen.take(nights.row(n + 1, n * 0.8, outcome="ok" if n % 50 else "reset"), NAME)
    window = Window(at(0), at(8 * 3600))
    svg = draw.draw("a", seen, window, (), Wall([]))
    assert len(svg) < 100_000
