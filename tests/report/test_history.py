"""Nights beside each other: whatever a folder of runs holds, what it says is so, and no more than that."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from seatrial.cli.app import run_command
from seatrial.records import NightMeasure
from seatrial.report.history import reading, trends
from seatrial.report.history.lines import as_json, render

HOSTILE = "<b>\x1b]0;owned\x07\u202e"


def night(runs: Path, day: int, word: str | None = "READY", *, name: str = "e", **more: Any) -> Path:
    """A run of one endpoint on a day of November: its outcomes, its figures, its server."""
    path = runs / f"202611{day:02d}T220000Z-{more.get('mark', '0000')}"
    (path / "endpoints").mkdir(parents=True)
    page = {"name": name, "url": "http://h:1/v1", "kind": "llama.cpp", "model": "m", "build": more.get("build", "b1")}
    (path / "endpoints" / f"{name}.json").write_text(json.dumps(page | more.get("page", {})))
    info = {
        "id": path.name,
        "started": f"2026-11-{day:02d}T22:00:00Z",
        "options": {"asked_with": more.get("asked", {})},
    }
    (path / "run.json").write_text(json.dumps(info))
    if word is not None:
        figures = {
            "value": more.get("p99", 1.2),
            "n": 100,
            "low": more.get("p99", 1.2) - 0.1,
            "high": more.get("p99", 1.2) + 0.1,
        }
        verdict = {
            "outcomes": {f"{case}@{name}": said for case, said in more.get("cases", {"a/x[s]": "PASS"}).items()},
            "endpoints": {name: {"verdict": word, "reasons": [], "counts": {"silent_stops": len(more.get("stops", ()))},
                                 "measured": {"ttft_p99_s": figures}}},
            "stops": [{"name": name, "family": family} for family in more.get("stops", ())],
        }  # fmt: skip
        (path / "verdict.json").write_text(json.dumps(verdict | more.get("verdict", {})))
    os.utime(path / "run.json", (0, 0))
    return path


def told(runs: Path, endpoint: str = "", most: int = 30) -> list[str]:
    return render(reading.nights(runs, endpoint, most))


def test_a_line_a_night_says_what_broke_what_healed_and_what_is_another(tmp_path):
    night(tmp_path, 24, build="b1")
    night(tmp_path, 25, "NOT READY", build="b2", cases={"a/x[s]": "FAIL"}, stops=("STOPPED",), p99=3.0)
    cut = night(tmp_path, 26, None)
    night(tmp_path, 27, build="b2")
    lines = told(tmp_path)
    assert [line.split("  ")[0] for line in lines[1:5]] == [f"2026-11-{day}" for day in (24, 25, 26, 27)]
    assert lines[1].endswith("the first here")
    assert lines[2].endswith("build b1 -> b2; stopped: STOPPED; broke a/x[s]; worse: TTFT p99 1.2 -> 3 s")
    assert " NOT READY " in lines[2]
    assert lines[3].endswith(f"cut: it has no verdict; seatrial judge {cut} judges what there is")
    assert lines[4].endswith("healed a/x[s]; better: TTFT p99 3 -> 1.2 s")


def test_only_the_last_nights_and_only_one_endpoint(tmp_path):
    for day in range(1, 10):
        night(tmp_path, day, build=f"b{day}")
        night(tmp_path, day, name="other", mark="1111")
    found = reading.nights(tmp_path, "e", 3)
    assert list(found) == ["e"]
    assert [each.came.build for each in found["e"]] == ["b7", "b8", "b9"]
    assert found["e"][0].changes is not None
    assert found["e"][0].changes.server == ("build b6 -> b7",)
    assert sorted(reading.nights(tmp_path)) == ["e", "other"]


def test_the_last_are_those_that_began_last_whatever_their_folders_are_called(tmp_path):
    for day in range(1, 5):
        night(tmp_path, day, build=f"b{day}").rename(tmp_path / f"{'zyxw'[day - 1]}")
    assert [each.came.build for each in reading.nights(tmp_path, "e", 2)["e"]] == ["b3", "b4"]


def test_a_night_in_which_nothing_could_be_asked_has_its_line_though_it_left_no_run(tmp_path):
    runs = tmp_path / "runs"
    night(runs, 1)
    night(runs, 3, "NOT READY", cases={"a/x[s]": "FAIL"})
    kept = {
        "job": "j",
        "nights": [{"night": "2026-11-02T22:00:00Z", "words": {"e": "NOT TRIED", HOSTILE: "NOT TRIED"}}],
    }
    (tmp_path / "nights.json").write_text(json.dumps(kept))
    (listed,) = reading.nights(runs, "e").values()
    assert [str(each.word) for each in listed] == ["READY", "NOT TRIED", "NOT READY"]
    assert told(runs, "e")[2].endswith("nothing could be asked: the job's log says why")
    assert told(runs, "e")[3].endswith("broke a/x[s]")
    (tmp_path / "nights.json").write_text("{")
    assert len(reading.nights(runs, "e")["e"]) == 2


def trend(runs: Path) -> trends.NightTrend:
    (listed,) = reading.nights(runs).values()
    return next(each for each in trends.trends(listed) if each.measure is NightMeasure.TTFT_P99)


def test_a_trend_is_told_of_eight_nights_with_its_interval_and_of_seven_not(tmp_path):
    for day in range(1, 8):
        night(tmp_path, day, p99=1 + 0.1 * day)
    assert (trend(tmp_path).word, trend(tmp_path).why) == ("not told", "7 nights alike of 8 that a trend takes")
    assert any("no trend is told: 7 nights alike of 8" in line for line in told(tmp_path))
    for day in range(8, 21):
        night(tmp_path, day, p99=1 + 0.1 * day)
    found = trend(tmp_path)
    assert (found.word, found.nights, found.sparkline[0], found.sparkline[-1]) == ("rises", 20, "▁", "█")
    assert found.each == pytest.approx(0.1)
    assert any(
        "rises over 20 nights: +0.1 s a night (95 % of all together: +0.1 s to +0.1 s)" in t for t in told(tmp_path)
    )


@pytest.mark.parametrize("other", [{"page": {"model": "n"}}, {"asked": {"--soak": 7200.0}}])
def test_nights_of_another_model_or_another_load_are_in_no_trend(tmp_path, other):
    for day in range(1, 11):
        night(tmp_path, day, p99=1.0)
    for day in range(11, 21):
        night(tmp_path, day, p99=9.0, **other)
    found = trend(tmp_path)
    assert (found.word, found.nights, found.apart) == ("no trend", 10, 10)


def test_a_figure_of_which_only_a_bound_is_known_has_no_trend(tmp_path):
    for day in range(1, 10):
        path = night(tmp_path, day)
    said = json.loads((path / "verdict.json").read_text())
    said["endpoints"]["e"]["measured"]["ttft_p99_s"]["beyond"] = True
    (path / "verdict.json").write_text(json.dumps(said))
    assert trend(tmp_path).why == "of 1 nights it is only known what it lies beyond"


def test_a_gap_in_a_sparkline_is_no_zero():
    assert trends.sparkline([1.0, None, 3.0]) == "▁ █"
    assert trends.sparkline([2.0, 2.0]) == "▄▄"
    assert trends.sparkline([None]) == ""


SPOILS = {
    "no JSON": lambda path: (path / "verdict.json").write_text("{"),
    "a number too large": lambda path: (path / "verdict.json").write_text('{"endpoints": 1e999}'),
    "a pipe": lambda path: ((path / "verdict.json").unlink(), os.mkfifo(path / "verdict.json")),
    "a link": lambda path: ((path / "verdict.json").unlink(), (path / "verdict.json").symlink_to("/dev/zero")),
    "no run.json": lambda path: (path / "run.json").unlink(),
    "a word that is none": lambda path: (path / "verdict.json").write_text(
        (path / "verdict.json").read_text().replace("READY", "SPLENDID")
    ),
    "no pages": lambda path: (path / "endpoints" / "e.json").write_text("[]"),
}


@pytest.mark.parametrize("how", SPOILS)
def test_a_night_that_cannot_be_read_is_no_green_one_and_the_others_are_told(tmp_path, how):
    night(tmp_path, 1)
    SPOILS[how](night(tmp_path, 2))
    night(tmp_path, 3)
    (tmp_path / "latest").symlink_to("20261103T220000Z-0000")
    (tmp_path / "file").touch()
    (listed,) = reading.nights(tmp_path).values()
    assert [str(each.word) for each in listed if each.run[6:8] != "02"] == ["READY", "READY"]
    assert [str(each.word) for each in listed if each.run[6:8] == "02"] in ([], ["CUT"])


def test_what_a_record_holds_is_harmless_on_a_screen_and_in_json(tmp_path, capsys):
    night(tmp_path, 1)
    night(
        tmp_path,
        2,
        "NOT READY",
        build=HOSTILE,
        cases={f"a/{HOSTILE}[s]": "FAIL", "a/x[s]": "FAIL"},
        page={"model": HOSTILE},
    )
    assert run_command(["history", "--runs", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert not set("\x1b\x07\u202e") & set(said)
    (one,) = json.loads(as_json(reading.nights(tmp_path)))["endpoints"].values()
    assert as_json(reading.nights(tmp_path)).decode().replace("\n", "").isprintable()
    assert [each["verdict"] for each in one["nights"]] == ["READY", "NOT READY"]
    assert one["nights"][1]["changes"]["broke"] == ["a/x[s]"]


def test_wrong_usage_is_one_line(tmp_path, capsys):
    assert run_command(["history", "--runs", str(tmp_path / "no")]) == 4
    assert "there is no folder" in capsys.readouterr().err
    assert run_command(["history", "--runs", "x" * 5000]) == 4
    assert capsys.readouterr().err.startswith("ERROR: no file system takes the name xxx")
    assert run_command(["history", "--runs", str(tmp_path)]) == 4
    assert "holds no run" in capsys.readouterr().err
    night(tmp_path, 1)
    assert run_command(["history", "gateway", "--runs", str(tmp_path)]) == 4
    assert "no run of gateway; there are e" in capsys.readouterr().err
