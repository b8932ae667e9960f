"""Each fault of the golden server fires, changes what is sent, and is counted."""

from __future__ import annotations

import http.client
import json
import re
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from seatrial.checks.areas.soak.parts import LASTING
from seatrial.checks.catalogue import load_all
from tests.golden.battery import BATTERY, CHAT, embed, post
from tests.golden.client import ask, call, chat, exchange, request, said, stream
from tests.golden.faults import FAULTS, Chosen, UnknownFaultError
from tests.golden.server import Golden
from tests.golden.truth import Truth
from tests.test_golden_together import TOGETHER

pytestmark = pytest.mark.early

BYTES_ALIKE = frozenset({"split-anywhere", "created-an-hour-ago", "one-body-at-a-time"})
"""One sends the same bytes in other portions, one differs in a time alone, which two honest answers do too, one lets
others wait."""


def _normal(answer: bytes) -> bytes:
    """Without what differs between two honest answers: ids and times, each replaced by its place of first mention."""
    for pattern in (
        rb"chatcmpl-[0-9a-f]+",
        rb"X-Request-Id: [0-9a-f]{24}",
        rb"call_[0-9a-f]{24}",
        rb'(?<="created":)\d+',
        rb'(?<="expires_at":)\d+',
    ):
        seen: dict[bytes, int] = {}
        answer = re.sub(pattern, lambda m, seen=seen: b"#%d" % seen.setdefault(m[0], len(seen)), answer)
    return re.sub(rb"requests_processing \d+|Date: [^\r]+", b"", answer)


@pytest.fixture(scope="module")
def honest() -> dict[str, bytes]:
    with Golden() as golden:
        return {name: _normal(exchange(golden, sent)) for name, sent in BATTERY.items()}


IN_COMPANY = {
    "crowd-kills-all": "plain",
    "crowd-is-cut": "plain",
    "busy-without-a-word": "plain",
    "busy-until-some-time": "plain",
    "vectors-mixed-at-once": "embeddings",
}
"""These break under several requests at once, of this entry of the battery."""

BY_KEY = frozenset(
    {
        "nobody-needs-a-key",
        "missing-key-403",
        "missing-key-unshaped",
        "keys-refused-in-a-word",
        "missing-key-to-a-login",
        "any-key-passes",
        "key-in-part-passes",
        "key-with-more-passes",
        "a-key-shown-in-part",
        "wrong-key-a-page",
        "wrong-key-to-a-login",
        "odd-scheme-500",
        "scheme-by-its-case",
        "wrong-key-repeated",
        "one-route-unguarded",
        "vectors-unguarded",
    }
)
"""These break at a server that asks for a key."""

OVER_HOURS = {name for name, fault in FAULTS.items() if fault.function.__module__.endswith(".lasting")}
"""These change no single answer: ``test_golden_lasting`` looks at what they do."""

APART = BYTES_ALIKE | IN_COMPANY.keys() | BY_KEY | TOGETHER | OVER_HOURS

CALLERS = {
    "none": request("POST", CHAT, chat()),
    "wrong": post(chat(), headers={"Authorization": "Bearer another"}),
    "less": post(chat(), headers={"Authorization": "Bearer righ"}),
    "more": post(chat(), headers={"Authorization": "Bearer rights"}),
    "bare": post(chat(), headers={"Authorization": "Bearer"}),
    "lower": post(chat(), headers={"Authorization": "bearer right"}),
    "right": post(chat(), headers={"Authorization": "Bearer right"}),
    "beside": request("POST", "/invocations", chat()),
    "vectors": embed("the sea"),
}


@pytest.mark.parametrize("name", sorted(BY_KEY))
def test_a_fault_of_keys_lets_in_whom_it_should_not_or_turns_away_in_another_way(name: str) -> None:
    with Golden(key="right") as golden:
        honest = {which: _normal(exchange(golden, sent)) for which, sent in CALLERS.items()}
    assert {which for which, answer in honest.items() if b" 401 " in answer} == CALLERS.keys() - {"lower", "right"}
    with Golden(faults=(name,), key="right") as golden:
        got = {which: _normal(exchange(golden, sent)) for which, sent in CALLERS.items()}
        assert got != honest
        assert b" 200 " in got["right"]
        assert set(golden.truth()["fired"]) == {name}


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in APART])
def test_a_fault_changes_an_answer_and_is_counted(name: str, honest: dict[str, bytes]) -> None:
    changed = False
    with Golden(faults=(name,)) as golden:
        for which, sent in BATTERY.items():
            changed |= _normal(exchange(golden, sent, patience_s=0.3)) != honest[which]
            if changed and golden.truth()["fired"]:
                break
        assert changed
        assert set(golden.truth()["fired"]) == {name}


@pytest.mark.parametrize("name", sorted(BYTES_ALIKE))
def test_a_fault_that_changes_no_word_is_counted_all_the_same(name: str, honest: dict[str, bytes]) -> None:
    with Golden(faults=(name,)) as golden:
        for which, sent in BATTERY.items():
            assert _normal(exchange(golden, sent)) == honest[which]
        assert set(golden.truth()["fired"]) == {name}


@pytest.mark.parametrize("name", sorted(IN_COMPANY))
def test_a_fault_of_crowds_leaves_a_single_request_alone(name: str, honest: dict[str, bytes]) -> None:
    with Golden(faults=(name,)) as golden, ThreadPoolExecutor(8) as pool:
        which = IN_COMPANY[name]
        assert _normal(exchange(golden, BATTERY[which])) == honest[which]
        while not golden.truth()["fired"]:  # they come within 50 ms of each other, sooner or later
            came = list(pool.map(lambda sent: exchange(golden, sent), [BATTERY[which]] * 8))
        assert any(_normal(each) != honest[which] for each in came)


def test_an_answer_of_an_hour_ago_says_so() -> None:
    with Golden(faults=("created-an-hour-ago",)) as odd, Golden() as plain:
        now = ask(plain, chat())[1]["created"]
        assert ask(odd, chat())[1]["created"] <= now - 3000
        assert all(chunk["created"] <= now - 3000 for chunk in stream(odd, chat()) if chunk != "[DONE]")


def test_each_fault_names_a_rule_and_each_rule_has_a_fault() -> None:
    caught = {fault.caught_by for fault in FAULTS.values()} - {""}
    assert caught == {name for name, rule in load_all().items() if not rule.of >= LASTING}  # these: tests.detectors


def test_only_what_is_right_or_watched_for_and_what_the_client_bears_is_caught_by_no_rule() -> None:
    right = {name for name, fault in FAULTS.items() if fault.family in {"legal", "honest", "watch"}}
    borne = {"echo-key", "echo-key-in-thoughts", "attacks-its-reader"}
    assert {name for name, fault in FAULTS.items() if not fault.caught_by} == right | borne


def test_a_rate_fires_on_the_same_requests_each_time() -> None:
    counts = []
    for _ in range(2):
        with Golden(faults=("no_terminator:0.3",)) as golden:
            ended = [stream(golden, chat(max_tokens=1))[-1] == "[DONE]" for _ in range(40)]
            assert golden.truth()["fired"] == {"no-terminator": ended.count(False)}
            counts.append(ended)
    assert counts[0] == counts[1]
    assert 0 < counts[0].count(False) < 40


@pytest.mark.parametrize("rate", ["0", "0.0"])
def test_a_rate_of_zero_never_fires(rate: str) -> None:
    with Golden(faults=(f"empty:{rate}",)) as golden:
        assert ask(golden, chat())[1]["choices"][0]["message"]["content"]
        assert golden.truth()["fired"] == {}


@pytest.mark.parametrize("spec", ["loop:", "loop:2", "loop:-0.1", "loop:nan", "loop:x", "loops", "", ":"])
def test_an_unknown_fault_or_rate_is_one_line(spec: str) -> None:
    with pytest.raises(UnknownFaultError) as raised:
        Chosen((spec,), Truth())
    assert "\n" not in str(raised.value)


def test_an_unknown_fault_is_told_its_neighbours() -> None:
    with pytest.raises(UnknownFaultError, match="nearest: no-terminator"):
        Chosen(("no_terminater",), Truth())


BEYOND = frozenset({"early-hints"})
"""http.client takes no informational answer but 100."""

LEGAL = [name for name, fault in FAULTS.items() if fault.family == "legal" and name not in BEYOND]


@pytest.mark.parametrize("name", LEGAL)
def test_what_is_legal_says_the_same(name: str) -> None:
    """Read with http.client, what is legal says the same, and perhaps more beside it."""
    with Golden(faults=(name,)) as odd, Golden() as plain:
        message, usual = (ask(golden, chat())[1]["choices"][0]["message"] for golden in (odd, plain))
        assert message | usual == message


def test_early_hints_come_before_the_whole_answer() -> None:
    with Golden(faults=("early-hints",)) as odd, Golden() as plain:
        hints, _, answer = exchange(odd, post(chat())).partition(b"\r\n\r\n")
        assert hints.startswith(b"HTTP/1.1 103 ")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert _normal(answer) == _normal(exchange(plain, post(chat())))


def test_a_whole_answer_is_gzipped() -> None:
    with Golden(faults=("whole-gzipped",)) as odd:
        head, _, body = exchange(odd, post(chat())).partition(b"\r\n\r\n")
        assert b"content-encoding: gzip" in head.lower()
        assert body.startswith(b"\x1f\x8b")


def test_the_key_is_echoed_in_all_its_forms() -> None:
    with Golden(faults=("echo_key",), key="sk-topsecret") as golden:
        bearer = {"Authorization": "Bearer sk-topsecret"}
        text = exchange(golden, post(chat(), headers=bearer))
        assert text.count(b"sk-topsecret") >= 3
        assert b"c2stdG9wc2VjcmV0" in text
        streamed = exchange(golden, post(chat(stream=True), headers=bearer))
        assert b"sk-topsecret" not in streamed.partition(b"\r\n\r\n")[2]
        assert call(golden, "GET", "/v1/nowhere", **bearer)[1]["error"]["message"].count("sk-topsecret") >= 2


def test_a_bomb_is_small_and_inflates_to_a_gigabyte() -> None:
    """Its first 16 MiB are inflated; its end is held against the checksum and the size of all."""
    with Golden(faults=("gzip-bomb",)) as golden:
        connection = http.client.HTTPConnection("127.0.0.1", golden.port, timeout=10)
        connection.request("POST", CHAT, json.dumps(chat()))
        bomb = connection.getresponse().read()
        connection.close()
    spaces = b" " * 2**20
    checksum = 0
    for _ in range(1024):
        checksum = zlib.crc32(spaces, checksum)
    assert len(bomb) < 2**21
    assert zlib.decompressobj(31).decompress(bomb, 2**24) == spaces * 16
    assert struct.unpack("<II", bomb[-8:]) == (zlib.crc32(b"{}", checksum), 2**30 + 2)


def test_two_faults_at_once() -> None:
    with Golden(faults=("role-in-every-chunk", "done-missing")) as golden:
        chunks = stream(golden, chat())
        assert chunks[-1] != "[DONE]"
        assert all(choice["delta"]["role"] for chunk in chunks for choice in chunk["choices"])
        assert golden.truth()["fired"] == {"role-in-every-chunk": 1, "done-missing": 1}
        assert said(chunks)
