"""Rules on HTTP below the API."""

import gzip

import pytest

from seatrial.checks import traits
from seatrial.checks.catalogue import load_all
from seatrial.records import LEFT
from tests.checks.specimens import (
    ASKED,
    DONE,
    EVENTS,
    HTML,
    JSON,
    breaks,
    exchange,
    found,
    holds,
    models,
    pair,
    plain,
    raw,
    refused,
    stream,
)

CLOSES = JSON | {"connection": "close"}
KEEPS = {"content-type": "text/event-stream", "keep-alive": "timeout=5"}


def test_json_is_labelled_and_decodes():
    rule = "http/json-is-labelled-and-decodes"
    holds(rule, [plain(), models(), plain(headers={"content-type": "application/json; charset=utf-8"})])
    breaks(rule, plain(headers={"content-type": "text/json"}), "Content-Type", "text/json")
    breaks(rule, plain(headers={}), "Content-Type", "none")
    for body in (b"", b"{", b'{"a": NaN}', b'{"a": "\xff"}', b"<html>", b"{} {}"):
        breaks(rule, exchange(body), "the body")


def test_unknown_path_is_a_404_with_an_error_object():
    rule = "http/unknown-path-is-a-404-with-an-error-object"
    holds(rule, [pair(refused(404))])
    breaks(rule, pair(refused(404, b"<html>", headers=HTML)), "the body", "text/html")
    breaks(rule, pair(refused(404, {"detail": "Not Found"})), "the body", "Not Found")
    breaks(rule, pair(models()), "the status", "200")


@pytest.mark.parametrize(
    "rule", ["http/body-that-is-no-object-is-refused", "http/empty-body-is-refused", "params/wrong-types-are-refused"]
)
def test_bodies_that_are_no_request_are_refused(rule):
    holds(rule, [pair(refused(400)), pair(refused(415))])
    breaks(rule, pair(plain()), "the status", "200")
    breaks(rule, pair(refused(500)), "the status", "500")


def test_malformed_json_is_a_400():
    rule = "http/malformed-json-is-a-400"
    holds(rule, [pair(refused(400)), pair(refused(422, {"detail": []}))])
    breaks(rule, pair(refused(500)), "the status", "500")
    breaks(rule, pair(plain()), "the status", "200")


def test_no_answer_is_grave_and_a_gone_server_no_evidence():
    rule = "http/malformed-json-is-a-400"
    late = exchange(b"", status=None, error="deadline", detail="no answer in 15 s")
    assert breaks(rule, pair(late), "the answer", "no answer in 15 s").grave
    breaks(rule, pair(exchange(b"", status=None, error="reset")), "the answer", "reset")
    gone = found(rule, pair(exchange(b"", status=None, error="refused")))
    assert [f.kind for f in gone] == ["no-evidence"]


@pytest.mark.parametrize("rule", [r.id for r in load_all().values() if r.of >= traits.FAULTY and r.shape == "single"])
def test_a_rule_on_a_faulty_request_judges_its_answer_and_not_the_good_one_after_it(rule):
    late = exchange(b"", status=None, error="deadline", detail="no answer in 15 s")
    assert [f.about for f in found(rule, pair(late))] == ["bad"]
    assert found(rule, pair(refused(404, asked={"max_tokens": 0}), late)) == []


FRAMED = "http/body-is-what-its-head-announces"


def wire(head: bytes, body: bytes = b"", **line):
    return raw(b"HTTP/1.1 " + head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body, **line)


ZIPPED = gzip.compress(b"{}")


@pytest.mark.parametrize(
    "x",
    [
        plain(),
        refused(404),
        stream(),
        exchange(b"{}", chunked=True),
        wire(b"200 OK\nconnection: close", b"{}"),
        wire(b"404 Not Found", b"{}"),
        raw(b"HTTP/1.0 404 Not Found\r\n\r\n{}"),
        wire(b"204 No Content"),
        wire(b"304 Not Modified\ncontent-length: 900"),
        wire(b"200 OK\ncontent-length: 900", method="HEAD"),
        wire(b"103 Early Hints\nlink: x\n\nHTTP/1.1 200 OK\ncontent-length: 2", b"{}"),
        wire(b"200 OK\ncontent-encoding: gzip\ncontent-length: %d" % len(ZIPPED), ZIPPED),
        wire(b"200 OK\ncontent-encoding: br\ncontent-length: 2", b"{}"),
        wire(b"400 No\ntransfer-encoding: chunked", b"2;a=b\r\n{}\r\n0\r\nx: y\r\n\r\n"),
        wire(b"200 OK\ncontent-length: 0"),
        wire(b"200 OK\ntransfer-encoding: chunked", b"2\r\n{}\r\n", error=LEFT, detail="our client left"),
    ],
)
def test_a_body_that_is_what_its_head_announces(x):
    holds(FRAMED, [x, {"one": x, "two": plain()}])


CUT = {"error": "cut", "detail": "the connection closed before the answer ended"}


@pytest.mark.parametrize(
    ("x", "got"),
    [
        (wire(b"404 Not Found\ncontent-length: 119", b"x" * 118, **CUT), "says 119 bytes, 118 came"),
        (wire(b"500 No\ncontent-length: 119", error="reset", detail="broke"), "says 119 bytes, 0 came; broke"),
        (wire(b"200 OK\ncontent-length: 2", b"{}and"), "says 2 bytes and as many came, 3 bytes after the end"),
        (wire(b"200 OK\n", b"{", error="reset", detail="broke off"), "broke off"),
        (wire(b"400 No\ntransfer-encoding: chunked", b"2\r\n{}\r\n", **CUT), "missing after chunks of 2 bytes"),
        (wire(b"400 No\ntransfer-encoding: chunked", b"9\r\n{}", **CUT), "cut 7 bytes short"),
        (wire(b"400 No\ntransfer-encoding: chunked", b"2\r\n{}\r\n0\r\n", **CUT), "no end"),
        (wire(b"400 No\ntransfer-encoding: chunked", b"2\r\n{}\r\n0\r\n\r\nx"), "last chunk came, 1 bytes after"),
        (wire(b"400 No\ntransfer-encoding: chunked", b"zz\r\n{}", error="not-http"), "no chunk size"),
        (wire(b"204 No Content", b"{}"), "has no body, 2 bytes after"),
        (wire(b"200 OK\ncontent-length: 2", b"{}", method="HEAD"), "has no body, 2 bytes after"),
        (wire(b"200 OK\ncontent-encoding: gzip", ZIPPED[:-3]), "the gzip body is cut: 19 bytes came"),
        (wire(b"200 OK\ncontent-encoding: gzip", b"{}"), "does not inflate"),
    ],
)
def test_a_body_that_is_not_what_its_head_announces(x, got):
    finding = breaks(FRAMED, x, "the body", got)
    assert finding.consequence
    named = breaks(FRAMED, {"list": plain(), "refused": x}, "refused: the body", got)
    assert named.about == "refused"


def test_a_length_beside_chunks_is_wrong():
    both = b"200 OK\ncontent-length: 9\ntransfer-encoding: chunked"
    breaks(FRAMED, wire(both, b"2\r\n{}\r\n0\r\n\r\n"), "the head", "Content-Length: 9, and chunks of 2 bytes")


@pytest.mark.parametrize("error", ["refused", "unreachable", "deadline", "idle", "too-large"])
def test_where_we_read_no_further_nothing_is_said_of_the_end(error):
    x = wire(b"200 OK\ncontent-length: 9", b"{}", error=error, detail=error)
    assert [f.kind for f in found(FRAMED, x)] == ["no-evidence"]
    assert [f.kind for f in found(FRAMED, exchange(b"", status=None, error=error))] == ["no-evidence"]


def test_more_than_is_inflated_is_no_fault_of_the_framing():
    bomb = gzip.compress(b" " * 5_000_000)
    holds(FRAMED, [wire(b"200 OK\ncontent-encoding: gzip", bomb)])


def test_connection_is_reusable():
    rule = "http/connection-is-reusable"
    kept = {
        "first": plain(),
        "refused": refused(connection=1),
        "stream": stream(connection=2),
        "last": plain(connection=3),
    }
    holds(rule, [kept])
    after = kept | {"stream": stream(connection=2, headers=KEEPS), "last": plain(connection=0)}
    finding = breaks(rule, after, "after stream", "closed without a word")
    assert "timeout=5" in finding.got


@pytest.mark.parametrize(
    "first",
    [
        plain(headers=CLOSES),
        plain(headers=JSON | {"connection": "keep-alive, Close"}),
        raw(b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"),
        raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}"),
    ],
    ids=["in words", "among other words", "by its version", "by the end of the body"],
)
def test_an_end_of_a_connection_that_is_announced_is_no_fault(first):
    rest = {"refused": refused(headers=CLOSES), "stream": stream(headers=CLOSES | EVENTS), "last": plain()}
    holds("http/connection-is-reusable", [{"first": first, **rest}])


def test_an_end_that_an_answer_of_http_1_0_had_ruled_out_is_a_fault():
    kept = raw(b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}")
    breaks("http/connection-is-reusable", {"first": kept, "last": plain()}, "after first", "without a word")


def test_a_connection_that_was_not_put_to_the_test_is_no_evidence():
    rule = "http/connection-is-reusable"
    kept = {
        "first": plain(),
        "refused": refused(connection=1),
        "stream": stream(connection=2),
        "last": plain(connection=3),
    }
    for lacks, changed in (
        ("the stream", {"stream": refused(connection=2), "last": refused(500, connection=3)}),
        ("the stream", {"stream": plain(connection=2)}),
        ("the refusal", {"refused": refused(500, connection=1)}),
        ("the refusal", {"refused": plain(connection=1)}),
    ):
        assert [(f.kind, f.where) for f in found(rule, kept | changed)] == [("no-evidence", lacks)]
    unfollowed = {name: kept[name] for name in ("first", "refused", "stream")}
    assert [f.where for f in found(rule, unfollowed)] == ["the stream"]
    assert [f.kind for f in found(rule, {"only": stream()})] == ["no-evidence", "no-evidence"]


FAULTY = [r.id for r in load_all().values() if r.of >= traits.FAULTY and r.shape == "single"]
NOT_FOUND = {"detail": "Not Found"}


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize("rule", FAULTY)
def test_no_rule_passes_on_a_route_that_is_not_there(rule, status):
    for bad in (400, 404, 422):
        sent = pair(refused(bad), refused(status, NOT_FOUND))
        assert [f.kind for f in found(rule, sent)] == ["no-evidence"]


@pytest.mark.parametrize("rule", FAULTY)
def test_a_refusal_in_the_same_words_that_sound_requests_get_shows_nothing(rule):
    away = {"error": {"message": "closed", "type": "no", "param": None, "code": None}}
    assert [f.kind for f in found(rule, pair(refused(403, away), refused(403, away)))] == ["no-evidence"]


@pytest.mark.parametrize("rule", FAULTY)
def test_a_refusal_shows_something_where_another_route_is_lost_or_a_good_request_was_answered_before(rule):
    get = refused(404, method="GET", path="/nowhere")
    holds(rule, [{"bad": get, "good": refused(404, NOT_FOUND)}])
    holds(rule, [{"bad": refused(404), "good": refused(400, {"error": {"message": "1 is too few", "type": "x"}})}])


def test_of_a_route_for_models_that_is_not_there_an_unknown_model_shows_nothing():
    get = {"method": "GET", "path": "/models/x"}
    lost = {"known": refused(404, NOT_FOUND, **get), "bad": refused(404, NOT_FOUND, **get), "good": plain()}
    for rule in ("models/unknown-id-is-a-404", "errors/error-object-has-its-shape"):
        assert [(f.kind, f.optional) for f in found(rule, lost)] == [("refusal", True)]
        there = lost | {"known": models(**get), "bad": refused(404, **get)}
        holds(rule, [there])
    breaks("models/unknown-id-is-a-404", there | {"bad": models(**get)}, "the status", "200")


@pytest.mark.parametrize("rule", [r.id for r in load_all().values() if r.of >= traits.FAULTY])
def test_without_a_faulty_request_nothing_is_shown(rule):
    assert [f.kind for f in found(rule, {"good": plain()})] == ["no-evidence"]


def test_valid_request_is_answered():
    rule = "http/valid-request-is-answered"
    holds(rule, [plain(), stream(), {"short": plain(), "long": plain()}, {"list": plain(), "refused": refused()}])
    assert [(f.kind, f.where, f.optional) for f in found(rule, refused())] == [("refusal", "the status", False)]
    breaks(rule, refused(500), "the status", "500")
    breaks(rule, {"short": plain(), "long": refused(500)}, "long: the status", "500")
    breaks(rule, stream({}, error="cut", detail="cut after 12 bytes"), "the answer", "cut after 12 bytes")
    breaks(rule, exchange(b"", status=None, error="reset"), "the answer", "reset")
    assert breaks(rule, exchange(b"", status=None, error="deadline"), "the answer").grave
    assert [f.kind for f in found(rule, refused(503))] == ["no-evidence"]
    assert [f.kind for f in found(rule, exchange(b"", status=None, error="refused"))] == ["no-evidence"]
    (option,) = found(rule, refused(asked=ASKED | {"n": 2}))
    assert option.optional


def test_an_error_in_place_of_an_answer_is_none_whatever_the_status():
    rule, error = "http/valid-request-is-answered", {"message": "upstream\u001b[2J is gone"}
    in_place = (exchange(b'{"error": {"message": "no"}}'), exchange(b'{"error": "no", "choices": []}'))
    for x in (*in_place, stream({"error": error}), stream({"error": error}, DONE)):
        breaks(rule, x, "the answer", "200 with an error in its place")
    holds(rule, [plain({"error": None}), plain({"error": ""}), plain({"error": error})])


def test_a_stream_with_an_error_in_its_midst_is_not_answered_to_its_end():
    rule, error = "http/valid-request-is-answered", {"error": {"message": "upstream is gone"}}
    word = {"id": "c", "choices": [{"index": 0, "delta": {"content": "a"}}]}
    for x in (stream(word, error), stream(word, error, DONE), stream(word, word | error, word, DONE)):
        breaks(rule, x, "the answer", "an error in mid-stream: ")
    holds(rule, [stream(word, word | {"error": None}, DONE), stream(word, DONE, error)])
    finding = breaks("sse/one-finish-reason-per-choice", stream(word, error, DONE), "the answer", "mid-stream")
    assert finding.causes == (rule, f"{rule}[*]")


def test_what_has_no_answer_is_the_finding_of_one_rule():
    for x in (refused(500), stream({}, error="cut"), exchange(b"", status=None, error="reset")):
        (finding,) = found("sse/role-is-sent-once", x)
        rule = "http/valid-request-is-answered"  # what began with a 200 failed whatever was asked: there or elsewhere
        assert finding.causes == ((rule, f"{rule}[*]") if x.status == 200 else (rule,))


def test_what_is_wrong_for_a_broken_body_alone_is_because_of_it():
    half = wire(b"404 Not Found\ncontent-length: 119", b'{"error', **CUT)
    longer = wire(b"200 OK\ncontent-type: application/json\ncontent-length: 2", b"{}and")
    for rule, x in (
        ("errors/error-object-has-its-shape", pair(half)),
        ("http/unknown-path-is-a-404-with-an-error-object", pair(half)),
        ("http/json-is-labelled-and-decodes", longer),
    ):
        assert [f.causes[-1] for f in found(rule, x)] == [FRAMED]
    assert found("errors/error-object-has-its-shape", pair(refused(404, b"<html>")))[0].causes == ()


def test_a_valid_request_that_is_cut_is_the_finding_of_the_rule_on_answers():
    cut = wire(b"200 OK\ncontent-length: 119", b"{", **CUT)
    assert breaks(FRAMED, cut, "the body").causes == ("http/valid-request-is-answered",)
    after = [f for f in found(FRAMED, pair(refused(), cut)) if f.kind == "violation"]
    assert [f.causes[-1] for f in after] == ["errors/next-request-is-answered"]
    assert found(FRAMED, {"before": cut, "bad": refused(), "good": plain()}) == []


def test_what_never_ended_tells_how_much_of_it_came():
    late = wire(b"404 No\ncontent-length: 119", b"x" * 118, error="deadline", detail="15 s passed")
    got = found("errors/faulty-request-is-answered", pair(late))[0].got
    assert "content-length says 119 bytes, 118 came" in got
