"""The waiver file: what it says, whom it means, and each way it can be wrong."""

import datetime as dt

import pytest

from seatrial.given import waivers
from seatrial.given.errors import ConfigError
from seatrial.given.waivers import Waiver

GOOD = """# by hand
[[waive]]
case = "sse/role-is-sent-once"
who = "Ada"
why = "the gateway in front mends it"
until = 2026-12-31

[[waive]]
case = "http/json-is-labelled-and-decodes[plain]@8080"
who = "Ada"
why = "known"
until = "2027-01-31"
"""

CASES = [
    "sse/role-is-sent-once[usage]@8080",
    "sse/role-is-sent-once[plain]@8081",
    "http/json-is-labelled-and-decodes[plain]@8080",
    "soak/streams-terminate@8080",
]


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(text):
        path = tmp_path / "waive.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return make


def made(case, until=dt.date(2026, 12, 31)):
    return Waiver(case=case, who="Ada", why="because", until=until)


def test_a_good_file_is_read(write):
    first, second = waivers.read(write(GOOD))
    assert (first.case, first.who, first.until) == ("sse/role-is-sent-once", "Ada", dt.date(2026, 12, 31))
    assert second.until == dt.date(2027, 1, 31)
    waivers.check((first, second), CASES, write(GOOD))


@pytest.mark.parametrize(
    ("case", "covered"),
    [
        ("sse/role-is-sent-once", [True, True, False, False]),
        ("sse/role-is-sent-once[usage]", [True, False, False, False]),
        ("sse/role-is-sent-once@8081", [False, True, False, False]),
        ("sse/role-is-sent-once[usage]@8081", [False, False, False, False]),
        ("soak/streams-terminate", [False, False, False, True]),
        ("sse/role-is-sent", [False, False, False, False]),
        ("sse/.*", [False, False, False, False]),
    ],
)
def test_whom_a_waiver_covers(case, covered):
    assert [made(case).covers(each) for each in CASES] == covered


def test_it_holds_through_its_last_day():
    waiver = made("a/b", dt.date(2026, 12, 31))
    assert waiver.holds_on(dt.date(2026, 12, 31))
    assert not waiver.holds_on(dt.date(2027, 1, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace('who = "Ada"\nwhy = "known"', 'why = "known"'), "waive.toml line 8: there is no key who"),
        (GOOD.replace("2026-12-31", '"soon"'), "waive.toml line 6: until: "),
        (GOOD.replace("2026-12-31", "2026-12-31T10:00:00"), "waive.toml line 6: until: "),
        (GOOD.replace('why = "known"', 'why = ""'), "waive.toml line 11: why: "),
        (GOOD.replace('why = "known"', 'because = "known"'), "waive.toml line 11: unknown key because"),
        (GOOD.replace('why = "known"', "why = 5"), "waive.toml line 11: why: "),
        (GOOD.replace('why = "known"', 'why = "known'), "waive.toml line 11: no TOML: "),
        ("[[waive]]\ncase = [", "waive.toml line 2: no TOML: "),
        ('[[forgive]]\ncase = "x"\n', "waive.toml line 1: unknown key forgive"),
        (b"\xff\xfe", "cannot read waive.toml: it is not UTF-8"),
        (
            GOOD.replace("[plain]@8080", "[plain"),
            "waive.toml line 9: http/json-is-labelled-and-decodes[plain is no case",
        ),
        (GOOD.replace("role-is-sent-once", "*"), None),
    ],
)
def test_what_is_wrong_is_said_with_file_line_and_key(write, text, message):
    path = write(text)
    if message is None:
        message = "waive.toml line 3: no case is called sse/*"
    with pytest.raises(ConfigError) as caught:
        waivers.check(waivers.read(path), CASES, path)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read .*none\.toml: No such file"):
        waivers.read(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("sse/role-once", "waive.toml line 3: no case is called sse/role-once; nearest: sse/role-is-sent-once"),
        ("sse/role-is-sent-once[usge]", "nearest: sse/role-is-sent-once[usage]"),
        ("sse/role-is-sent-once@808", "nearest: sse/role-is-sent-once@8081"),
        ("zzzzzzzzzzzzzzzz", "no case is called zzzzzzzzzzzzzzzz; seatrial cases lists them"),
    ],
)
def test_a_waiver_that_means_no_case_names_the_nearest(write, case, message):
    path = write(GOOD.replace("sse/role-is-sent-once", case))
    with pytest.raises(ConfigError) as caught:
        waivers.check(waivers.read(path), CASES, path)
    assert message in str(caught.value)


def test_adding_keeps_what_was_there_and_any_text(write, tmp_path):
    path = write(GOOD)
    hard = Waiver(case="a/b[c]", who='Ada "the" \\ x', why="zwei\nZeilen \u007f 🎉 \x01", until=dt.date(2027, 1, 1))
    waivers.add(path, hard)
    assert path.read_text().startswith(GOOD)
    assert [w.case for w in waivers.read(path)][:2] == [w.case for w in waivers.read(write(GOOD))]
    new = tmp_path / "new.toml"
    waivers.add(new, hard)
    (read,) = waivers.read(new)
    assert (read.case, read.who, read.until) == (hard.case, hard.who, hard.until)
    assert read.why == hard.why.replace("\x7f", "\ufffd")


def test_adding_to_a_broken_file_changes_nothing(write):
    path = write("[[waive]\n")
    with pytest.raises(ConfigError, match="no TOML"):
        waivers.add(path, made("a/b"))
    assert path.read_text() == "[[waive]\n"
    with pytest.raises(ConfigError, match="is no case"):
        waivers.add(path.with_name("new.toml"), made("a b"))
    assert not path.with_name("new.toml").exists()


def test_the_demo_has_a_file_that_can_be_read_and_still_holds():
    assert all(waiver.holds_on(dt.date(2027, 1, 1)) for waiver in waivers.read(waivers.DEMO))
