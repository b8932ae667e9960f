"""The diagnosis: its exact text, and a curl line that a shell reads as it was meant, whatever stands in the request."""

from __future__ import annotations

import json
import shlex
import subprocess

import msgspec
import pytest

from seatrial.checks.catalogue import load_all
from seatrial.checks.rules import REGISTRY
from seatrial.checks.running import run
from seatrial.records import Endpoint, Exchange, Expect, Finding
from seatrial.report.words import curl
from seatrial.report.words.diagnosis import again, answer, diagnosis, shown
from tests.report.sample import HOSTILE, NAME
from tests.report.test_block import expected

ENDPOINT = Endpoint(name=NAME, url="http://127.0.0.1:8080/v1", kind="generic", model="m", models=("m",))


def nothing(_: str) -> None:
    """No exchange was recorded."""


def exchange(body: bytes = b"", **more) -> Exchange:
    base = {
        "id": "gw0-1",
        "endpoint": NAME,
        "scenario": "s",
        "method": "POST",
        "path": "/chat/completions",
        "request_headers": (("Host", "x"), ("Content-Type", "application/json")),
        "request_body": body,
        "request_json": None,
        "sent_at": 0,
        "ended_at": 420_000_000,
        "status": 200,
        "reason": "OK",
        "http_version": "1.1",
        "headers": (("content-type", "application/json"),),
        "raw": b"",
        "body": b"{}",
        "json": {},
        "fault": "",
        "chunks": (),
        "comments": 0,
        "tail": b"",
    }
    return Exchange(**{**base, **more})


def test_text(sunk):
    judged = sunk.cases[0]
    text = diagnosis(judged, REGISTRY[judged.rule], sunk.exchange, sunk.endpoints[NAME])
    assert text == expected("diagnosis.txt", text)


def test_hostile_text_stays_on_its_line(sunk):
    for judged in sunk.cases:
        text = diagnosis(judged, REGISTRY[judged.rule], sunk.exchange, sunk.endpoints[NAME])
        assert all(line.isprintable() for line in text.split("\n"))


def test_without_rule_exchange_or_endpoint(sunk):
    text = diagnosis(sunk.cases[0], None, nothing, None)
    assert "is not a rule of this version" in text
    assert "again  pytest suites/conformance --case" in text
    assert "sent" not in text.split("\n")[-2]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"model": "it's `reboot` $(reboot) \\ \" ; & | 日本語", "stream": True}).encode(),
        b"@/etc/passwd",
        b"{broken",
        b"\xff\xfe\x00binary",
        b'{"a":"\x1b[31m"}\nline',
        b"",
    ],
    ids=["quotes", "at", "broken", "binary", "escapes", "empty"],
)
def test_a_shell_sends_what_was_sent(body, tmp_path):
    """The line runs in a real shell with a curl of ours that writes down what it is given."""
    fake = tmp_path / "curl"
    fake.write_text(
        '#!/bin/sh\nfor a in "$@"; do [ "$last" = -d ] || [ "$last" = --data-raw ] && printf %s "$a"\n'
        '[ "$a" = @- ] && cat\nlast=$a; done; exit 0\n'
    )
    fake.chmod(0o755)
    line = curl.command(exchange(body), ENDPOINT)
    assert "\n" not in line
    done = subprocess.run(
        ["sh", "-c", line], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, check=True
    )
    assert done.stdout == body


def test_the_key_is_named_and_never_shown():
    line = curl.command(exchange(b"{}", request_headers=(("Authorization", "Bearer ****"),)), ENDPOINT)
    assert '-H "Authorization: Bearer $OPENAI_API_KEY"' in line
    line = curl.command(exchange(b"{}", request_headers=(("Authorization", "bearer ****"),)), ENDPOINT)
    assert '-H "Authorization: bearer $OPENAI_API_KEY"' in line
    line = curl.command(exchange(b"{}", request_headers=(("Authorization", "Bearer ***-"),)), ENDPOINT)
    assert '-H "Authorization: Bearer ${OPENAI_API_KEY%?}"' in line
    line = curl.command(exchange(b"{}", request_headers=(("Authorization", "Bearer ****+"),)), ENDPOINT)
    assert '-H "Authorization: Bearer ${OPENAI_API_KEY}x"' in line
    line = curl.command(exchange(b"{}", request_headers=(("Authorization", "Bearer nobody"),)), ENDPOINT)
    assert "-H 'Authorization: Bearer nobody'" in line
    assert "****" not in line


def test_a_starred_header_is_named_and_never_shown():
    headers = (("X-Auth-Token", "*****"), ("x-api-key", "***"), ("A`b", "**"), ("Accept", "*/*"))
    line = curl.command(exchange(b"{}", request_headers=headers), ENDPOINT)
    assert '-H "X-Auth-Token: $X_AUTH_TOKEN"' in line
    assert '-H "x-api-key: $X_API_KEY"' in line
    assert """-H 'A`b: '"$A_B\"""" in line
    assert "**" not in line


@pytest.mark.parametrize(
    ("url", "host", "told"),
    [
        ("http://127.0.0.1:8080/v1", "127.0.0.1:8080", False),
        ("http://GW.example:80/v1", "gw.example", False),
        ("https://gw.example/v1", "gw.example:443", False),
        ("http://[::1]:8080/v1", "[::1]:8080", False),
        ("http://gw.example/v1", "gw.example:443", True),
        ("http://127.0.0.1:8080/v1", "127.0.0.1", True),
        ("http://127.0.0.1:8080/v1", "models.example", True),
    ],
)
def test_a_host_that_is_not_that_of_the_url_is_told(url, host, told):
    endpoint = msgspec.structs.replace(ENDPOINT, url=url)
    line = curl.command(exchange(b"{}", request_headers=(("host", host),)), endpoint)
    assert (f"-H 'host: {host}'" in line) is told
    assert ("host:" in line) is told


def test_a_word_is_harmless_on_a_terminal_and_means_the_same():
    text = "m'\\\x1b]0;t\x07\u202e$(x)`y`"
    word = curl.word(text)
    assert word.isprintable()
    done = subprocess.run(
        ["bash", "-c", f"printf %s {word}"], env={"LC_ALL": "C.UTF-8"}, capture_output=True, check=True
    )
    assert done.stdout.decode() == text


def test_a_long_body_is_bounded_and_the_whole_is_not():
    body = json.dumps({"prompt": "x" * 5000}).encode()
    assert len(curl.command(exchange(body), ENDPOINT, 400)) < 600
    assert shlex.split(curl.command(exchange(body), ENDPOINT))[-1].encode() == body
    assert len(curl.command(exchange(b"\xff" * 5000), ENDPOINT, 400)) < 600


def test_paths_below_the_base_and_from_the_root():
    assert curl.url(exchange(path="/models"), ENDPOINT) == "http://127.0.0.1:8080/v1/models"
    assert curl.url(exchange(path="//health"), ENDPOINT) == "http://127.0.0.1:8080/health"
    get = exchange(method="GET", path="/models", request_headers=())
    assert curl.command(get, ENDPOINT) == "curl http://127.0.0.1:8080/v1/models"
    assert "-X DELETE" in curl.command(exchange(method="DELETE"), ENDPOINT)


def test_answers_in_half_a_line():
    assert answer(exchange()) == "200 application/json, 2 B after 0.42 s"
    gone = exchange(status=None, error="reset", detail="connection reset\x1b[0m")
    assert answer(gone) == r"no answer (connection reset\x1b[0m) after 0.42 s"
    assert answer(exchange(error="cut")).endswith(", cut")
    cut = exchange(headers=(("content-type", "text/event-stream"),))
    assert answer(cut) == "200 text/event-stream, 0 chunks, no [DONE], ended after 0.42 s"


def test_again_names_endpoint_and_model_only_where_needed(sunk):
    judged = sunk.cases[0]
    embedded = msgspec.structs.replace(ENDPOINT, embedded=True)
    several = msgspec.structs.replace(ENDPOINT, models=("a", "b c"), model="b c", url="http://h/prefix/v1")
    assert "--endpoint" not in again(judged, embedded)
    assert again(judged, several).endswith("--endpoint=8080=http://h/prefix --model='b c'")


def test_the_exchange_shown_is_the_one_a_finding_names(sunk):
    beside = Finding("no-evidence", "x", "", "", about="two")
    case = msgspec.structs.replace(
        sunk.cases[0],
        exchanges={"one": "gw0-1", "two": "gw0-2", "three": "gw0-3"},
        findings=(beside, Finding("violation", "two: x", "", "", about="one")),
    )
    assert shown(case) == ("gw0-1", "gw0-2"), "what made the outcome comes first, whatever the text begins with"
    assert shown(msgspec.structs.replace(case, findings=(Finding("violation", "two: x", "", ""),))) == ("gw0-3",)
    assert shown(msgspec.structs.replace(case, exchanges={})) == ()


def test_of_a_faulty_request_and_the_good_one_after_it_the_faulty_one_is_shown(sunk):
    sent = {"bad": "gw0-1", "good": "gw0-2"}
    for rule, wanted in (("params/wrong-types-are-refused", "gw0-1"), ("errors/next-request-is-answered", "gw0-2")):
        bad, good = exchange(b'{"stop":5}'), exchange(b'{"max_tokens":1}', id="gw0-2", status=400)
        found, _ = run(load_all()[rule], {"bad": bad, "good": good}, Expect())
        case = msgspec.structs.replace(sunk.cases[0], rule=rule, exchanges=sent, findings=found)
        assert shown(case) == (wanted,)
        told = diagnosis(case, REGISTRY[rule], {"gw0-1": bad, "gw0-2": good}.get, ENDPOINT)
        assert f"seatrial show latest {wanted}" in told
        assert told.count("curl") == 1
        assert ('"stop":5' in told) == (wanted == "gw0-1")


def test_what_no_finding_names_is_the_faulty_request_of_a_scenario_that_has_one(sunk):
    case = msgspec.structs.replace(sunk.cases[0], exchanges={"bad": "gw0-1", "good": "gw0-2"}, findings=())
    assert shown(case) == ("gw0-1",)
    assert shown(msgspec.structs.replace(case, exchanges={"good": "gw0-2"})) == ("gw0-2",)


def test_several_exchanges_are_told_apart_by_their_names(sunk):
    findings = tuple(Finding("violation", f"{name}: x", "", "", about=name) for name in ("short", "long", "short"))
    case = msgspec.structs.replace(sunk.cases[0], exchanges={"short": "gw0-1", "long": "gw0-2"}, findings=findings)
    held = {"gw0-1": exchange(), "gw0-2": exchange(id="gw0-2")}
    lines = diagnosis(case, None, held.get, ENDPOINT).split("\n")
    assert [line.split()[1] for line in lines if line.startswith("got ")] == ["short:", "long:"]


def test_many_findings_are_counted(sunk):
    findings = tuple(Finding("violation", f"chunk {n}", "x", HOSTILE, "same") for n in range(9))
    text = diagnosis(msgspec.structs.replace(sunk.cases[0], findings=findings), None, nothing, None)
    assert "and 4 more" in text
    assert text.count("\nso ") == 1
