"""Rules on paths, methods, unusual bodies, sizes and codings."""

import gzip
import json

from msgspec.structs import replace

from seatrial.records import SECOND
from tests.checks.specimens import (
    EVENTS,
    HTML,
    JSON,
    answer,
    breaks,
    exchange,
    found,
    good,
    holds,
    models,
    pair,
    plain,
    raw,
    refused,
    stream,
)

ORIGIN = "https://nobody-knows.invalid"
CORS = {"access-control-allow-origin": ORIGIN, "access-control-allow-headers": "Authorization, Content-Type"}


def asked(x, **headers):
    """The answer to a request with these headers."""
    sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return replace(x, request_headers=(*x.request_headers, *sent))


def test_base_url_resolves():
    rule = "http/base-url-resolves"
    holds(rule, [models(), plain(), refused(401)])
    breaks(rule, refused(404), "the status", "404")
    breaks(rule, exchange(b"<html>", headers=HTML), "the body", "<html>")


def test_wrong_method_is_refused():
    rule = "http/wrong-method-is-refused"
    holds(rule, [pair(refused(405)), pair(refused(404, b"", headers={}))])
    breaks(rule, pair(exchange(b"<html>", headers=HTML)), "the status", "200")


def test_head_and_options_are_no_error():
    rule = "http/head-and-options-are-no-error"
    head = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", method="HEAD")
    holds(rule, [head, refused(405), refused(501), exchange(b"", status=204, headers={}, method="OPTIONS")])
    breaks(rule, refused(500), "the status", "500")
    bodied = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", method="HEAD")
    breaks(rule, bodied, "the body", "hello")


def test_preflight_is_answered_without_a_key():
    rule = "http/preflight-is-answered-without-a-key"
    holds(rule, [asked(exchange(b"", status=204, headers=CORS), origin=ORIGIN)])
    holds(rule, [asked(exchange(b"", headers=CORS | {"access-control-allow-origin": "*"}), origin=ORIGIN)])
    breaks(rule, asked(refused(401), origin=ORIGIN), "the status", "401")
    star = CORS | {"access-control-allow-headers": "*"}
    breaks(rule, asked(exchange(b"", headers=star), origin=ORIGIN), "Allow-Headers", "*")
    other = CORS | {"access-control-allow-origin": "https://ours"}
    breaks(rule, asked(exchange(b"", headers=other), origin=ORIGIN), "Allow-Origin", "ours")
    assert [f.kind for f in found(rule, asked(refused(405), origin=ORIGIN))] == ["refusal"]
    late = asked(exchange(b"", status=None, error="deadline", method="OPTIONS"), origin=ORIGIN)
    assert "http/head-and-options-are-no-error[*]" in breaks(rule, late, "the answer", "deadline").causes


def test_credentials_are_not_allowed_to_any_origin():
    rule = "http/credentials-are-not-allowed-to-any-origin"
    both = CORS | {"access-control-allow-credentials": "true"}
    holds(rule, [asked(exchange(b"", headers=CORS), origin=ORIGIN), exchange(b"", headers=both)])
    breaks(rule, asked(exchange(b"", headers=both), origin=ORIGIN), "Allow-Origin", ORIGIN)


def test_odd_labels_and_json_are_refused_or_read():
    rule = "http/odd-label-is-refused-or-read"
    holds(rule, [pair(refused(415)), pair(plain())])
    breaks(rule, pair(exchange(b"{}")), "the body", "{}")
    breaks(rule, pair(refused(500)), "the status", "500")
    odd = "http/odd-json-is-dealt-with"
    twice = {"good": plain()}
    holds(odd, [twice | {"mark": refused(), "mark again": refused()}, twice | {"mark": plain(), "mark again": plain()}])
    breaks(odd, twice | {"mark": refused(), "mark again": plain()}, "mark again: the status", "400, then 200")
    breaks(odd, twice | {"mark": refused(500), "mark again": refused(500)}, "mark: the status", "500")
    latin = b'{"messages": [{"role": "user", "content": "ol\xe9"}]}'
    holds(odd, [twice | {"latin": refused(asked=latin)}, twice | {"latin": plain(asked=latin)}])
    breaks(odd, twice | {"latin": refused(500, asked=latin)}, "latin: the status", "500")
    breaks(odd, twice | {"latin": exchange(b"{}", asked=latin)}, "latin: the body", "{}")


def test_compressed_body_is_read_or_a_415():
    rule = "http/compressed-body-is-read-or-a-415"
    holds(rule, [pair(refused(415)), pair(plain())])
    breaks(rule, pair(refused(400)), "the status", "400")
    breaks(rule, pair(exchange(b"{}")), "the body", "{}")


def test_json_with_a_charset_is_read():
    rule, other = "http/json-with-a-charset-is-read", "http/label-is-read-in-any-spelling"
    for each in (rule, other):
        holds(each, [{"before": plain(), "only": plain()}])
        breaks(each, {"before": plain(), "only": refused(415)}, "the status", "415")
        breaks(each, {"before": plain(), "only": exchange(b"{}")}, "the status", "200 {}")
        nothing = found(each, {"before": refused(400), "only": refused(400)})
        assert [(f.kind, f.causes) for f in nothing] == [("no-evidence", ("http/valid-request-is-answered[*]",))]
    assert breaks(other, {"before": plain(), "only": refused(415)}, "the status").causes == (f"{rule}[*]",)


def test_chunked_body_is_read():
    rule = "http/chunked-body-is-read"
    holds(rule, [{"before": refused(), "only": asked(plain(), transfer_encoding="chunked")}])
    breaks(rule, asked(refused(400), transfer_encoding="chunked"), "the status", "400")
    assert [f.kind for f in found(rule, asked(refused(411), transfer_encoding="chunked"))] == ["refusal"]


def test_expectation_is_met_at_once():
    rule = "http/expectation-is-met-at-once"
    body = json.dumps(answer()).encode()
    late = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    holds(rule, [asked(raw(b"HTTP/1.1 100 Continue\r\n\r\n" + late), expect="100-continue")])
    holds(rule, [asked(refused(417), expect="100-continue"), raw(late)])
    breaks(rule, asked(raw(late), expect="100-continue"), "the word", "none")
    breaks(rule, asked(refused(400), expect="100-continue"), "the status", "400")


def test_oversized_body_is_refused():
    rule = "http/oversized-body-is-refused"
    closed = exchange(b"", status=None, error="reset")
    holds(rule, [pair(refused(413)), pair(refused(400)), pair(closed)])
    breaks(rule, pair(plain()), "the status", "200")
    assert breaks(rule, pair(exchange(b"", status=None, error="deadline")), "the answer").grave
    assert [f.kind for f in found(rule, pair(exchange(b"", status=None, error="refused")))] == ["no-evidence"]


def test_nesting_is_refused_and_survived():
    holds("http/nested-body-is-refused", [pair(refused())])
    breaks("http/nested-body-is-refused", pair(plain()), "the status", "200")
    value = "http/nested-value-is-survived"
    holds(value, [pair(refused()), pair(plain())])
    breaks(value, pair(refused(500)), "the status", "500")
    breaks(value, pair(exchange(b"", status=None, error="reset")), "the answer", "reset")
    breaks(value, pair(exchange(b"{}")), "the body", "{}")


def test_slow_client_holds_up_nobody():
    rule = "http/slow-client-holds-up-nobody"
    slow, quick = plain(sent_at=SECOND, ended_at=3 * SECOND), plain(sent_at=SECOND, ended_at=2 * SECOND)
    before = plain(ended_at=SECOND + SECOND // 2)
    holds(rule, [{"slow": slow, "quick": quick, "before": before}])
    late = replace(quick, ended_at=7 * SECOND)
    breaks(rule, {"slow": slow, "quick": late, "before": before}, "the quick request", "6.0 s")
    tired = replace(before, ended_at=6 * SECOND)
    assert [f.kind for f in found(rule, {"slow": slow, "quick": late, "before": tired})] == ["no-evidence"]
    assert [f.kind for f in found(rule, {"slow": slow, "quick": refused(500), "before": before})] == ["no-evidence"]


def test_coding_is_one_that_was_accepted():
    rule = "http/coding-is-one-that-was-accepted"
    packed = gzip.compress(json.dumps(answer()).encode())
    zipped = exchange(packed, headers=JSON | {"content-encoding": "gzip"})
    holds(rule, [asked(plain(), accept_encoding="identity"), asked(zipped, accept_encoding="gzip, deflate")])
    brotli = plain(headers=JSON | {"content-encoding": "br"})
    breaks(rule, asked(brotli, accept_encoding="gzip, deflate"), "Content-Encoding", "br")


def test_coded_stream_is_not_held_back():
    rule = "http/coded-stream-is-not-held-back"
    body = b"".join(b"data: " + (e if isinstance(e, str) else json.dumps(e)).encode() + b"\n\n" for e in good())
    packed = gzip.compress(body)
    at_once = exchange(
        packed, asked={"stream": True}, headers=EVENTS | {"content-encoding": "gzip"}, frames=((SECOND, 10**6),)
    )
    usual = stream()
    apart = replace(usual, chunks=tuple(replace(chunk, at=SECOND + chunk.index) for chunk in usual.chunks))
    holds(rule, [{"stream": apart, "gzip-stream": apart}, {"stream": usual, "gzip-stream": at_once}])
    breaks(rule, {"stream": apart, "gzip-stream": at_once}, "the stream", "at 1 times")


def test_each_answer_has_its_request_id():
    rule = "http/each-answer-has-its-request-id"
    first, second = (plain(headers=JSON | {"x-request-id": value}) for value in ("a", "b"))
    holds(rule, [{"list": first, "again": second}])
    breaks(rule, {"list": first, "again": first}, "x-request-id", "a: list, again")
    breaks(rule, {"list": first, "again": plain()}, "x-request-id", "none: again")
    assert [f.kind for f in found(rule, {"list": plain(), "again": plain()})] == ["refusal"]
