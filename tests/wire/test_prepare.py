"""What only the endpoint knows is filled in; what is tested is left as it is."""

from __future__ import annotations

import json

import msgspec
import pytest

from seatrial.records import Endpoint, Listed, Quoted, Request, TokensLeft, Words
from seatrial.wire.transports.prepare import NEVER, UNCALLED, prepare
from tests.checks.calls import call, calling
from tests.checks.specimens import choice, plain

ENDPOINT = Endpoint(
    name="e", url="http://h/v1", kind="generic", model="org/m:1", models=("org/m:1",), cap_factor=1.5,
    extra_body={"chat_template_kwargs": {"enable_thinking": False}, "temperature": 1},
)  # fmt: skip


def body_of(request: Request, *, valid_chat: bool = True) -> object:
    return json.loads(prepare(request, ENDPOINT, valid_chat=valid_chat).body)


def test_a_valid_chat() -> None:
    body = {"model": None, "max_tokens": 3, "max_completion_tokens": 10, "temperature": 0, "messages": []}
    assert body_of(Request(body=body)) == {
        "messages": [],
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


@pytest.mark.parametrize(
    ("path", "made"), [("{model}", "org%2Fm%3A1"), ("{+model}", "org/m:1"), ("{%model}", "%6F%72%67%2F%6D%3A%31")]
)
def test_the_model_stands_in_a_path_in_the_form_that_is_asked_for(path: str, made: str) -> None:
    assert prepare(Request(method="GET", path=f"/models/{path}"), ENDPOINT, valid_chat=False).path == f"/models/{made}"


@pytest.mark.parametrize(
    ("place", "data", "name"),
    [
        (1, [{"id": "a"}, {"id": "b"}], "b"),
        (-1, [{"id": "a"}, {}, 5, {"id": "b"}], "b"),
        (2, [{"id": "a"}], "org/m:1"),
        (0, {"id": "a"}, "org/m:1"),
    ],
)
def test_a_model_by_its_place_in_a_list(place: int, data: object, name: str) -> None:
    asked = Request(body={"model": Listed(after="list", place=place)})
    made = prepare(asked, ENDPOINT, valid_chat=False, got={"list": plain({"data": data})})
    assert json.loads(made.body) == {"model": name}


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


def test_raw_bytes_can_name_the_model() -> None:
    prepared = prepare(Request(raw=b'{"model": "{model}", "n": NaN}'), ENDPOINT, valid_chat=False)
    assert prepared.body == b'{"model": "org/m:1", "n": NaN}'


def test_a_piece_of_an_earlier_answer() -> None:
    message = {"role": "assistant", "content": "42", "reasoning_content": "Seven sixes."}
    thinks = plain({"choices": [choice(message=message)]})
    before = {"free": plain(), "odd": plain({"choices": 5}), "thinks": thinks}

    def made(value: object) -> object:
        request = Request(body={"stop": ["a", value]})
        return json.loads(prepare(request, ENDPOINT, valid_chat=False, got=before).body)["stop"][1]

    assert made(Quoted(after="free", first=1, length=3)) == "ell"
    assert made(Quoted(after="thinks", of="thought", first=1, length=4)) == "even"
    assert made(Quoted(after="free", of="thought")) == NEVER
    assert [made(Quoted(after=name, length=99)) for name in ("free", "odd", "none")] == [NEVER] * 3


def test_the_id_of_an_earlier_call() -> None:
    before = {
        "made": calling(call(called="c-7"), call(called="c-8")),
        "no-id": calling(call(called=5)),
        "none": plain(),
    }

    def made(after: str) -> object:
        request = Request(body={"messages": [{"role": "tool", "tool_call_id": Quoted(after=after, of="call")}]})
        return json.loads(prepare(request, ENDPOINT, valid_chat=False, got=before).body)["messages"][0]["tool_call_id"]

    assert made("made") == "c-7"
    assert [made(name) for name in ("no-id", "none", "unasked")] == [UNCALLED] * 3


def test_headers_of_the_scenario_win() -> None:
    prepared = prepare(Request(body={}, headers={"content-type": "text/plain"}), ENDPOINT, valid_chat=False)
    assert prepared.headers == (("content-type", "text/plain"),)
    assert prepare(Request(method="GET", path="/models"), ENDPOINT, valid_chat=False).headers == ()
