"""Who answers, and the one line for each way nobody usable does."""

import json
import socket
import time

import pytest

from seatrial.servers import asking, identity
from seatrial.servers.identity import CAP, EndpointError, expect_ready, identify, survey
from seatrial.wire.transports.http import Client
from tests.behaviour.specimens import exchange
from tests.golden.server import Golden
from tests.monitor.sites import reply as site_reply
from tests.monitor.sites import site

from .raw import reply, says


def look(place, **settings):
    url = f"http://{place}/v1"
    with Client(url) as client:
        return survey("x", url, client, **settings)


def one_model(name="m", **fields):
    return json.dumps({"object": "list", "data": [{"id": name, **fields}]})


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(asking, "LOOK_S", 0.3)


MODELS = json.dumps({"data": [{"id": name} for name in ("llama3:8b", "phi4:14b", "gemma3:27b", "nomic-embed-text")]})

BAD = {
    "ssh": (b"SSH-2.0-OpenSSH_9.2\r\n", 'PLACE answers, but not HTTP ("SSH-2.0-OpenSSH_9.2"); --endpoint wants'),
    "tls-alert": (b"\x15\x03\x01\x00\x02\x02\x46", "PLACE speaks TLS; say https://PLACE"),
    "closes": (b"", "PLACE closes the connection without an answer"),
    "html": (
        reply(200, "<html>hello</html>", kind="text/html"),
        "http://PLACE answers, but is no OpenAI-compatible API (GET /v1/models: 200 text/html); --endpoint wants",
    ),
    "404": (reply(404, "{}"), "is no OpenAI-compatible API (GET /v1/models: 404 application/json)"),
    "array-of-nothing": (reply(200, "[]"), "http://PLACE lists no model; load one, or name one with --model"),
    "no-list": (reply(200, '{"data": {"id": "m"}}'), "is no OpenAI-compatible API"),
    "401": (reply(401, "{}"), "http://PLACE wants an API key (401); name a variable that holds it: --api-key-env=VAR"),
    "redirect": (
        reply(302, b"", "Location: http://elsewhere.test/v1/models"),
        "http://PLACE redirects to http://elsewhere.test/v1/models (302), which is never followed",
    ),
    "redirect-nowhere": (reply(307), "http://PLACE redirects to nowhere (307)"),
    "loading": (
        reply(503, '{"error": {"message": "Loading model"}}'),
        "http://PLACE is not ready (503: Loading model); try again when it is",
    ),
    "https-port": (
        reply(400, "plain HTTP sent to HTTPS port", kind="text/html"),
        "http://PLACE wants TLS; say https://",
    ),
    "cut": (reply(200, MODELS)[:-20], "http://PLACE breaks off its answer to GET /models"),
    "several": (
        reply(200, MODELS),
        "http://PLACE offers 4 models: name one with --model: llama3:8b, phi4:14b, gemma3:27b, nomic-embed-text",
    ),
    "500": (reply(500, "{}"), "is no OpenAI-compatible API (GET /v1/models: 500 application/json)"),
    "control-characters": (b"220 \x1b[31mred\x07\r\n", 'answers, but not HTTP ("220  [31mred")'),
}


@pytest.mark.parametrize("name", BAD)
def test_each_bad_server_is_one_line(name):
    answer, message = BAD[name]
    with says(answer) as place, pytest.raises(EndpointError) as caught:
        look(place)
    assert message.replace("PLACE", place) in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_server_that_speaks_first_is_quoted():
    with (
        says(b"SSH-2.0-OpenSSH_9.2\r\n", wait=False) as place,
        pytest.raises(EndpointError, match=r"SSH-2\.0-OpenSSH"),
    ):
        look(place)


def test_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(EndpointError) as caught:
        look(place)
    assert str(caught.value) == (
        f"nothing listens at {place} (connection refused); start the server or name another with --endpoint=URL"
    )


def test_a_silent_server_is_given_up_soon(hasty):
    with says(None) as place, pytest.raises(EndpointError, match=r"does not answer GET /models within 0\.3 s"):
        look(place)


def test_all_looks_share_one_budget(monkeypatch):
    assert asking.LOOK_S < asking.SURVEY_S < 5
    monkeypatch.setattr(asking, "LOOK_S", 30.0)
    monkeypatch.setattr(asking, "SURVEY_S", 0.5)
    begun = time.monotonic()
    with says(reply(200, one_model()), None) as place:
        found = look(place)
    assert time.monotonic() - begun < 30, "one look of 30 s alone would take longer"
    assert found.model == "m"


def test_tls_with_a_server_that_waits_for_a_plain_request(hasty):
    with says(None) as place:
        url = f"https://{place}/v1"
        with (
            Client(url) as client,
            pytest.raises(EndpointError, match=r"does not answer the TLS handshake within \d\.\d s; say http:// if"),
        ):
            survey("x", url, client)


@pytest.mark.parametrize(
    ("answer", "model"),
    [
        (reply(200, one_model("a\x1b]0;owned\x07")), "no\x1b[0m"),
        (reply(200, json.dumps({"data": [{"id": "a\x1b[31m"}, {"id": "b\u202e"}]})), None),
        (reply(400, "{}", kind="text/\x9b31m"), None),
    ],
)
def test_no_text_of_a_server_reaches_a_terminal_raw(answer, model):
    with says(answer) as place, pytest.raises(EndpointError) as caught:
        look(place, model=model)
    assert str(caught.value).isprintable()


def test_a_name_that_does_not_resolve():
    with pytest.raises(EndpointError, match=r"^no-such-host\.invalid:8080 cannot be reached \(.+\); check the name"):
        look("no-such-host.invalid:8080")


def test_tls_with_a_server_that_speaks_none():
    with says(reply(400), wait=False) as place:
        url = f"https://{place}/v1"
        with (
            Client(url) as client,
            pytest.raises(EndpointError, match=rf"^no TLS with {place} \(.+\); trust .*--ca=FILE"),
        ):
            survey("x", url, client)


def test_a_refused_key_is_told_from_a_missing_one():
    with Golden(key="right-key") as golden:
        with Client(golden.url, authorization="Bearer wrong-key") as client:
            with pytest.raises(EndpointError, match=r"refuses the API key \(401\); check the variable") as caught:
                survey("x", golden.url, client)
            assert "wrong-key" not in str(caught.value)
        with Client(golden.url, authorization="Bearer right-key") as client:
            assert survey("x", golden.url, client).model == golden.model


@pytest.mark.parametrize(
    ("listed", "wanted", "expected"),
    [
        (one_model("only"), None, "only"),
        (MODELS, "phi4:14b", "phi4:14b"),
        (one_model("path/m.gguf", aliases=["m"]), "m", "m"),
        (one_model("only", aliases=5), "only", "only"),
        ('[{"id": "bare"}]', None, "bare"),
        ('{"data": [{"id": "a"}, {"id": "b", "status": {"value": "loaded"}}]}', None, "b"),
    ],
)
def test_the_model_is_chosen(listed, wanted, expected):
    with says(reply(200, listed)) as place:
        assert look(place, model=wanted).model == expected


@pytest.mark.parametrize(("wanted", "hint"), [("phi4:14", "nearest: phi4:14b"), ("zzz", "it has llama3:8b, phi4:14b")])
def test_an_unknown_model_is_named_with_the_nearest(wanted, hint):
    with says(reply(200, MODELS)) as place, pytest.raises(EndpointError, match=f"offers no model {wanted}; {hint}"):
        look(place, model=wanted)


def test_a_list_that_is_missing_is_no_hindrance_where_the_model_is_named():
    with says(reply(404, '{"error": {"message": "no"}}')) as place:
        found = look(place, model="m")
    assert (found.model, found.models) == ("m", ())


@pytest.mark.parametrize(
    ("listed", "props", "kind"),
    [
        (one_model(owned_by="llamacpp"), "{}", "llama.cpp"),
        (one_model(owned_by="dasllama"), "{}", "dasllama"),
        (one_model(), '{"build_info": "b6123-abc", "total_slots": 4, "default_generation_settings": {}}', "llama.cpp"),
        (one_model(), '{"build_info": "other", "total_slots": 4, "default_generation_settings": {}}', "generic"),
        (one_model(owned_by=["odd"]), '["odd"]', "generic"),
    ],
)
def test_the_kind_is_found_out(listed, props, kind):
    with says(reply(200, listed), reply(200, props)) as place:
        assert look(place).kind == kind


def test_the_kind_can_be_named():
    with says(reply(200, one_model())) as place:
        assert look(place, profile="dasllama").kind == "dasllama"


@pytest.mark.parametrize(
    "junk", ['{"total_slots": "4", "default_generation_settings": 3, "chat_template": 7}', "[" * 5000]
)
def test_nonsense_beside_the_list_is_left_out(junk):
    with says(reply(200, one_model()), reply(200, junk)) as place:
        found = look(place)
    assert (found.slots, found.context, found.template) == (None, None, "")


@pytest.mark.parametrize(
    ("item", "context"),
    [
        ({"max_model_len": 4096}, 4096),
        ({"context_length": 2048, "meta": {"n_ctx": 512}}, 2048),
        ({"meta": {"n_ctx": 512, "n_ctx_train": 32768}}, 512),
        ({"meta": {"n_ctx_train": 32768}}, None),
        ({"max_model_len": True, "context_window": -1, "meta": [4096], "n_ctx": "8k"}, None),
    ],
)
def test_the_context_is_what_the_model_is_listed_with(item, context):
    listed = json.dumps({"object": "list", "data": [{"id": "m", "object": "model"} | item]})
    with says(reply(200, listed)) as place:
        assert look(place).context == context


def test_the_golden_server_is_identified():
    with Golden() as golden, Client(golden.url) as client:
        found = identify(survey("g", golden.url, client), client)
        chats = golden.truth()["chats"]
    assert (found.kind, found.model, found.slots, found.context) == ("generic", golden.model, 8, 8192)
    assert (found.thinking, found.cap_factor, found.extra_body) == (False, 1.0, {})
    assert found.capabilities == {"metrics": True}
    assert chats == 1


@pytest.mark.parametrize(("fault", "named"), [((), "golden-1"), (("constant-alias",), "/models/golden-1.gguf")])
def test_what_the_first_answer_calls_the_model_is_kept(fault, named):
    with Golden(faults=fault) as golden, Client(golden.url) as client:
        found = identify(survey("x", golden.url, client), client)
    assert (found.model, found.named) == ("golden-1", named)


def test_thinking_is_switched_off_where_that_works():
    with Golden(thinking=True) as golden, Client(golden.url) as client:
        found = identify(survey("g", golden.url, client), client)
    assert (found.thinking, found.cap_factor) == (True, 1.0)
    assert found.extra_body == {"chat_template_kwargs": {"enable_thinking": False}}


def chat(content, tokens, reasoning=None, **usage):
    message = {"role": "assistant", "content": content, **({"reasoning_content": reasoning} if reasoning else {})}
    return reply(200, json.dumps({"choices": [{"message": message}], "usage": {"completion_tokens": tokens, **usage}}))


@pytest.mark.parametrize(
    ("answer", "thought"),
    [
        (chat("5", 41, "x", completion_tokens_details={"reasoning_tokens": 40}), 40),
        (chat("abcd", 30, "a" * 8), 20),
        (chat("<think>so, five", 50), 50),
        (chat("", 0, "a" * 400), 100),
    ],
)
def test_caps_grow_by_four_times_the_thought_where_it_cannot_be_switched_off(answer, thought):
    with says(answer) as place, Client(f"http://{place}/v1") as client:
        with says(reply(200, one_model())) as listing:
            endpoint = look(listing, profile="dasllama")
        found = identify(endpoint, client)
    assert found.thinking
    assert found.cap_factor == (CAP + 4 * thought) / CAP


def test_of_a_thought_that_was_cut_nothing_is_known_but_that_it_went_on(monkeypatch):
    """One that thinks without end is no model that thinks a token: its answers would all be cut for thought."""
    thinks = exchange(json={"choices": [{"message": {"content": "", "reasoning_content": "Well"}}]})
    cut = exchange(status=None, error="deadline", ended_at=121_000_000_000)
    monkeypatch.setattr(identity, "_chat", lambda _who, _client, cap, *_off: cut if cap == identity.MEASURE else thinks)
    with says(reply(200, one_model())) as listing:
        found = identity._unthinking(look(listing), None)
    assert found.cap_factor == (CAP + 4 * identity.MEASURE) / CAP
    assert found.facts["thinking"] == "a sum had no answer after 120 s"


def test_a_warm_up_that_is_refused_is_left_to_the_trial():
    with says(reply(200, one_model())) as listing:
        endpoint = look(listing)
    with says(reply(500, '{"error": {"message": "boom"}}')) as place, Client(f"http://{place}/v1") as client:
        assert identify(endpoint, client).facts["warm-up"] == "500 boom"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (reply(404, '{"error": {"message": "model m not found"}}'), r"has no chat for m \(model m not found\)"),
        (reply(404, "<html>", kind="text/html"), r"has no chat for m \(404 text/html\)"),
        (reply(401, "{}"), "wants an API key"),
        (b"", "closes the connection"),
    ],
)
def test_a_warm_up_nobody_answers_is_an_error(answer, message):
    with says(reply(200, one_model())) as listing:
        endpoint = look(listing)
    with says(answer) as place, Client(f"http://{place}/v1") as client, pytest.raises(EndpointError, match=message):
        identify(endpoint, client)


def test_a_warm_up_has_its_own_deadline(monkeypatch):
    monkeypatch.setattr("seatrial.servers.identity.WARM_UP_S", 0.3)
    with says(reply(200, one_model())) as listing:
        endpoint = look(listing)
    late = pytest.raises(EndpointError, match=r"m at .* does not answer the warm-up request")
    with says(None) as place, Client(f"http://{place}/v1") as client, late:
        identify(endpoint, client)


def test_a_warm_up_that_begins_and_has_no_end_says_how_much_came(monkeypatch):
    monkeypatch.setattr("seatrial.servers.identity.WARM_UP_S", 0.3)
    with says(reply(200, one_model())) as listing:
        endpoint = look(listing)
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"
    endless = pytest.raises(EndpointError, match=r"m at .* begins to answer .* has no end: \d+ bytes in \d+ s")
    with says(half, hold=True) as place, Client(f"http://{place}/v1") as client, endless:
        identify(endpoint, client)


@pytest.mark.parametrize("cheap", [True, False])
def test_the_health_of_a_server_is_asked_where_it_costs_nothing(cheap):
    answers = {"health": site_reply(200), "v1__models": site_reply(200, {"data": [{"id": "m"}]})}
    if cheap:
        answers["health__liveliness"] = site_reply(200, b'"I\'m alive!"')
    with site(**answers) as s, Client(s.url) as client:
        found = survey("x", s.url, client)
        s.asked.clear()
        expect_ready(found, client, chat=False)
    assert s.asked == (["/health/liveliness"] if cheap else ["/health/liveliness", "/health"])


def test_its_models_are_asked_for_once():
    with site(v1__models=site_reply(200, {"data": [{"id": "m"}]})) as s, Client(s.url) as client:
        look = asking.FirstLook(client)
        assert look.models() is look.models()
        assert survey("x", s.url, client, look=look).model == "m"
    assert s.count("/v1/models") == 1
