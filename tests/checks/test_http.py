"""Rules on HTTP below the API."""

import pytest

from seatrial.checks import traits
from seatrial.checks.catalogue import load_all
from tests.checks.specimens import HTML, JSON, breaks, exchange, found, holds, models, pair, plain, refused, stream

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
    announced = {"first": plain(headers=CLOSES), "last": plain(connection=0)}
    breaks(rule, announced, "after first", "as announced")


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


@pytest.mark.parametrize("rule", [r.id for r in load_all().values() if r.of >= traits.FAULTY])
def test_without_a_faulty_request_nothing_is_shown(rule):
    assert [f.kind for f in found(rule, {"good": plain()})] == ["no-evidence"]
