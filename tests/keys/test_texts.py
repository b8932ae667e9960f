"""A key in the texts beside an answer's bytes: no part of it is left where they are cut, and none in what rules say."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator

import msgspec
import pytest

from seatrial.checks.findings import violation
from seatrial.checks.rules import Rule
from seatrial.judging.case import Evidenced, Terms, judge_case
from seatrial.judging.waivers import Waivers
from seatrial.monitor.ladder.questions import Questions
from seatrial.records import Exchange, Expect, Finding, Level, Planned
from seatrial.wire.masking.mask import Mask
from seatrial.wire.masking.redact import redact
from seatrial.wire.transports.http import Client, Prepared
from seatrial.wire.transports.load import LoadTarget, get, stream
from tests.keys.answers import chunk_of
from tests.wire.exchanges import answer, assembled, chunked, event
from tests.wire.servers import say, serving

KEY = "sk-Live_0123456789abcdefXYZ"


def shown(text: str) -> bool:
    """Whether more of the key can be read than some text has by chance."""
    return any(KEY[i : i + 8] in text for i in range(len(KEY) - 7))


@pytest.mark.parametrize("before", range(20, 320, 5))
def test_no_part_of_a_key_is_left_where_a_text_is_cut(before: int) -> None:
    assert not shown(Mask(KEY).start("x" * before + KEY + "y" * 500, 300))
    escaped = "".join(f"\\u{ord(c):04x}" for c in KEY)
    assert f"u{ord(KEY[0]):04x}\\u{ord(KEY[1]):04x}" not in Mask(KEY).start("x" * before + escaped, 300)


@pytest.mark.parametrize("before", range(0, 64, 3))
def test_what_speaks_no_http_is_shown_without_the_key(before: int) -> None:
    with serving(say(b"x" * before + KEY.encode() + b"\r\n")) as url, Client(url, authorization=f"Bearer {KEY}") as c:
        recording = c.exchange(Prepared("GET", "/models"))
    assert recording.error == "not-http"
    assert "does not speak HTTP: b'" in recording.detail
    assert not shown(recording.detail)


@pytest.mark.parametrize("body", [
    event(chunk_of({"content": "x"}, finish_reason=KEY)),
    event(b"x" * 90 + KEY.encode()),
    event({"error": {"message": "x" * 270 + KEY}}),
    event({"model": "x" * 190 + KEY, **chunk_of({"content": "x"})}),
    b'error: {"m": "' + b"x" * 280 + KEY.encode() + b'"}\n\n',
])  # fmt: skip
def test_what_a_load_keeps_of_a_stream_holds_no_part_of_the_key(body: bytes) -> None:
    with serving(say(chunked(body, event(b"[DONE]")))) as url:
        s = stream(LoadTarget(url, Mask(KEY), headers={"Authorization": f"Bearer {KEY}"}), b"{}")
    assert not shown(repr(s))


def test_what_a_load_reads_of_a_page_holds_no_key() -> None:
    page = answer(json.dumps({"data": [{"id": KEY}]}).encode(), status=b"200 " + KEY.encode())
    with serving(say(page)) as url:
        got = get(LoadTarget(url, Mask(KEY)), "/models")
    assert got.status == 200
    assert not shown(repr(got))


@pytest.mark.parametrize("before", [0, 150, 190])
def test_what_the_monitor_hears_holds_no_key(before: int) -> None:
    echo = b"x" * before + KEY.encode()
    for said in (answer(echo, b"X-%b: %b\r\n" % (KEY.encode(), echo)), b"HTTP/1.1 " + echo + b"\r\n\r\n"):
        with serving(say(said)) as url:
            heard = Questions(url, key=KEY).get("/props", deadline_s=5)
        assert not shown(repr(heard).lower().replace(KEY.lower(), KEY))


def test_what_a_rule_says_is_masked_before_anybody_reads_it() -> None:
    def joins(_x: Exchange, _expect: Expect) -> Iterator[Finding]:
        yield violation(f"at {KEY}", expected=KEY, got=KEY, so=KEY)

    rule = Rule("test/joins", "row/1", Level.MUST, "a test", "It joins.", "single", joins)
    plan = Planned(case="test/joins[a]@e", endpoint="e", rule="test/joins", scenario="a", suite="conformance")
    evidenced = Evidenced({"a": assembled(answer(b"{}"))}, {"a": "main-1"}, Expect())
    open_terms = Terms(Waivers((), datetime.date(2026, 1, 1)), strict=False)
    assert KEY in repr(judge_case(plan, rule, evidenced, open_terms, endpoint=None))
    terms = msgspec.structs.replace(open_terms, mask=Mask(KEY))
    judged = judge_case(plan, rule, evidenced, terms, endpoint=None)
    assert KEY not in repr(judged)
    assert judged.outcome == "FAIL"


def test_a_list_of_numbers_stays_one() -> None:
    """The bytes of tokens are masked, and the answer is still what it was to every rule but for them."""
    entries = [{"token": "#", "bytes": [b], "logprob": -1.5} for b in KEY.encode()]
    raw = answer(json.dumps({"choices": [{"index": 0, "logprobs": {"content": entries}}]}).encode())
    masked, why = redact(Mask(KEY), raw, "POST")
    view = assembled(masked)
    assert (view.fault, why) == ("", "")
    said = [entry["bytes"] for entry in view.json["choices"][0]["logprobs"]["content"]]
    assert said == [[42]] * len(KEY)
    assert [e["logprob"] for e in view.json["choices"][0]["logprobs"]["content"]] == [-1.5] * len(KEY)


@pytest.mark.parametrize("text", [
    "A key is a token; sk-live keys begin with sk, and 0123456789 are digits. 100% of =3D and &amp; and \\u0073 stay.",
    "s k - L i v e _ 0 1 2", "115, 107, 45, 76", "c2stTGl2ZQ==", "736b2d4c697665", "%73%6b%2d", KEY[:-2], KEY[1:],
])  # fmt: skip
def test_other_text_is_left_alone(text: str) -> None:
    for raw in (answer(json.dumps({"m": text}).encode()), chunked(*[event(chunk_of({"content": c})) for c in text])):
        assert redact(Mask(KEY), raw, "POST") == (raw, "")


def test_a_short_key_is_not_found_in_words() -> None:
    text = "Pass the password, in PASSING; s.s.a.p and cnff: fine. 112, 97"
    assert Mask("pass").text(text) == text.replace("pass", "****")
