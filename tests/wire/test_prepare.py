"""What only the endpoint knows is filled in; what is tested is left as it is."""

from __future__ import annotations

import json

import msgspec
import pytest

from seatrial.records import Endpoint, Request, TokensLeft, Words
from seatrial.wire.transports.prepare import prepare
from tests.checks.specimens import plain

ENDPOINT = Endpoint(
    name="e", url="http://h/v1", kind="generic", model="org/m:1", models=("org/m:1",), cap_factor=1.5,
    extra_body={"chat_template_kwargs": {"enable_thinking": False}, "temperature": 1},
)  # fmt: skip


def body_of(request: Request, *, valid_chat: bool = True) -> object:
    return json.loads(prepare(request, ENDPOINT, valid_chat=valid_chat).body)


def test_a_valid_chat() -> None:
    body = {"model": None, "max_tokens": 3, "max_completion_tokens": 10, "temperature": 0}
    assert body_of(Request(body=body)) == {
        "chat_template_kwargs": {"enable_thinking": False},
        "temperature": 0,
        "model": "org/m:1",
        "max_tokens": 5,
        "max_completion_tokens": 15,
    }
    assert body["model"] is None, "the scenario is not changed"


def test_a_faulty_request_keeps_its_fault() -> None:
    assert body_of(Request(body={"model": None, "max_tokens": -5}), valid_chat=False) == {
        "model": "org/m:1",
        "max_tokens": -5,
    }


@pytest.mark.parametrize("cap", ["ten", True, None, 1.5])
def test_a_cap_that_is_no_integer_is_left_alone(cap: object) -> None:
    assert body_of(Request(body={"max_tokens": cap}))["max_tokens"] == cap  # type: ignore[index]


@pytest.mark.parametrize("body", [[], "x", 42])
def test_a_body_that_is_no_object_is_sent_as_it_is(body: object) -> None:
    assert body_of(Request(body=body)) == body


def test_a_model_that_is_absent_stays_absent() -> None:
    assert body_of(Request(body={}), valid_chat=False) == {}


def test_a_text_and_a_cap_that_hang_on_the_context() -> None:
    endpoint = msgspec.structs.replace(ENDPOINT, context=100)
    before = {"short": plain({"usage": {"prompt_tokens": 30}}), "odd": plain({"usage": {"prompt_tokens": "many"}})}

    def made(value: object, known: Endpoint = endpoint) -> object:
        request = Request(body={"messages": [{"content": value}]})
        return json.loads(prepare(request, known, valid_chat=False, got=before).body)["messages"][0]["content"]

    assert len(made(Words(share=1.0, more=64)).split()) == 164  # type: ignore[attr-defined]
    assert len(made(Words(share=0.5, after="short", more=-20)).split()) == 100  # type: ignore[attr-defined]
    assert made(Words(more=3)) == made(Words(more=3, share=1.0), ENDPOINT) == "the ship left"
    assert made(Words(more=2, first=2)) == "left port"
    assert made(Words(more=-3)) == ""
    assert [made(TokensLeft(after=name, more=1)) for name in ("short", "odd", "none")] == [71, 101, 101]
    assert made(TokensLeft(after="short", more=-90)) == 1


def test_a_cap_that_is_exact_does_not_grow() -> None:
    assert body_of(Request(body={"max_tokens": 3}, exact=True))["max_tokens"] == 3  # type: ignore[index]


def test_a_cap_does_not_outgrow_the_context() -> None:
    for context, grown in ((None, 150), (400, 150), (256, 128), (64, 100)):
        known = msgspec.structs.replace(ENDPOINT, context=context)
        prepared = prepare(Request(body={"max_tokens": 100}), known, valid_chat=True)
        assert json.loads(prepared.body)["max_tokens"] == grown


def test_raw_bytes_and_paths() -> None:
    prepared = prepare(Request(raw=b"{", path="/models/{model}"), ENDPOINT, valid_chat=False)
    assert (prepared.body, prepared.path) == (b"{", "/models/org%2Fm%3A1")
    assert dict(prepared.headers) == {"Content-Type": "application/json"}


def test_headers_of_the_scenario_win() -> None:
    prepared = prepare(Request(body={}, headers={"content-type": "text/plain"}), ENDPOINT, valid_chat=False)
    assert prepared.headers == (("content-type", "text/plain"),)
    assert prepare(Request(method="GET", path="/models"), ENDPOINT, valid_chat=False).headers == ()
