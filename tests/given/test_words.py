"""Words of a command line: what cannot be sent, written down or shown is said in one line, before anything begins."""

from __future__ import annotations

import os

import pytest

from seatrial.given import words
from seatrial.given.errors import ConfigError
from seatrial.wire.masking.headers import FRAMING


@pytest.mark.parametrize(
    ("text", "said"),
    {
        "surrogate": ('{"a": "\\ud800"}', "lone surrogate"),
        "surrogate-in-a-key": ('{"\\udfff": 1}', "lone surrogate"),
        "nan": ('{"a": NaN}', "no number of JSON"),
        "minus-infinity": ('{"a": [-Infinity]}', "no number of JSON"),
        "too-large": ('{"a": 1e999}', "no number of JSON"),
        "brackets": ('{"a": ' + "[" * 50_000 + "]" * 50_000 + "}", "nested deeper than 64"),
        "objects": ('{"a":' * 65 + "1" + "}" * 65, "nested deeper than 64"),
        "array": ("[1]", "wants a JSON object"),
        "control": ('{"a": "\x1b"}', "is no JSON"),
        "digits": ('{"a": ' + "9" * 5000 + "}", "is no JSON"),
    }.values(),
)
def test_a_body_that_no_json_can_send_is_refused(text, said):
    with pytest.raises(ConfigError) as told:
        words.json_object("--extra-body", text)
    assert said in str(told.value)
    assert str(told.value).isprintable()


def test_a_body_that_can_be_sent_is_taken_as_it_is():
    text = '{"a": {"b": [1, 2.5, null, true, "日"]}, "c": ' + "[" * 62 + "]" * 62 + "}"
    assert words.json_object("--extra-body", text)["a"] == {"b": [1, 2.5, None, True, "日"]}


@pytest.mark.parametrize("name", sorted(FRAMING))
def test_a_header_that_frames_the_request_is_ours(name):
    with pytest.raises(ConfigError, match=f"--header {name.title()}: Seatrial sets it itself"):
        words.headers([f"{name.title()}: sk-secret"])


def test_a_header_given_twice_is_refused_and_others_are_taken():
    assert words.headers(["X-A: 1", "X-B: a: b", "User-Agent: me"]) == {"X-A": "1", "X-B": "a: b", "User-Agent": "me"}
    with pytest.raises(ConfigError, match="--header x-a is given twice"):
        words.headers(["X-A: 1", "x-a: 2"])


def test_bytes_that_are_no_utf_8_are_refused_without_being_shown():
    with pytest.raises(ConfigError, match=r"^--run-dir holds bytes that are no UTF-8: name it otherwise$"):
        words.legible("--run-dir", os.fsdecode(b"r\xff"))
    assert words.legible("--run-dir", "räume/日") == "räume/日"
    with pytest.raises(ConfigError, match="cannot be shown"):
        words.folder("--run-dir", "a\x1b[2Jb")


@pytest.mark.parametrize("text", ["87673h", "9" * 20 + "s", "9" * 400 + "h"], ids=["ten years", "digits", "infinite"])
def test_a_duration_ends_within_ten_years(text):
    assert words.duration("--wait", "87672h") == words.LONGEST_S
    with pytest.raises(
        ConfigError, match=r"^--wait=[0-9.]+[hs]? is longer than ten years; say 90s, 30m or 8h$"
    ) as told:
        words.duration("--wait", text)
    assert len(str(told.value)) < 100


@pytest.mark.parametrize("text", ["0", "-1", "many", "1e3", "", "0.0", "nan", "9" * 300])
def test_a_rate_is_a_number_of_requests_a_second(text):
    assert words.rate("--max-rps", "0.5") == 0.5
    with pytest.raises(ConfigError, match=r"is no number of requests a second; say 5 or 0.5"):
        words.rate("--max-rps", text)
