"""Rules on what lies open."""

import json

import pytest

from seatrial.checks.areas.exposure import CANARY, table
from tests.checks.specimens import breaks, exchange, found, holds, plain, refused

SHUT = {
    "exposure/no-route-runs-commands": "GET /tools",
    "exposure/no-route-fetches-for-strangers": "GET /cors-proxy",
    "exposure/no-route-deletes-for-strangers": "OPTIONS /api/delete",
}


def asked(name, answer, nobody=None):
    method = name.partition(" ")[0]
    return {name: answer, f"{method} nobody's path": nobody or refused(404, method=method)}


@pytest.mark.parametrize(("rule", "name"), SHUT.items())
def test_a_route_is_shut_where_it_is_guarded_off_or_not_there(rule, name):
    method = name.partition(" ")[0]
    page = exchange(b"<html>", headers={"content-type": "text/html"}, method=method)
    alike = refused(405, b"no", method=method)
    holds(rule, [asked(name, refused(status, method=method)) for status in (401, 403, 404, 501, 502, 303)])
    well = exchange(b"{}", method=method)
    holds(rule, [asked(name, page), asked(name, alike, alike), asked(name, well, well)])
    breaks(rule, asked(name, exchange(b'[{"name": "a"}]', method=method)), f"{name} without a key", "200")
    breaks(rule, asked(name, refused(405, b"no", method=method)), name, "405 no")
    breaks(rule, asked(name, refused(500, b"url?", method=method)), name, "500")
    assert [f.kind for f in found(rule, asked(name, refused(503), refused(503)))] == ["no-evidence"]
    assert [f.kind for f in found(rule, asked(name, exchange(b"", status=None, error="deadline")))] == ["no-evidence"]


def test_no_route_shows_the_work_of_others():
    rule = "exposure/no-route-shows-the-work-of-others"
    slots = json.dumps([{"id": 0, "prompt": f"Say hello to the {CANARY}."}]).encode()
    ours = plain({"id": "chatcmpl-4f1c73"})
    holds(rule, [{"ours": plain({"id": "1"}), "GET /slots": exchange(b'[{"id": 1}]')}])  # too short to be ours alone
    holds(rule, [{"ours": ours, "GET /slots": exchange(b'[{"id": 0}]'), "GET /v1/streams": refused(404)}])
    holds(rule, [{"ours": ours, "GET /slots": refused(401, {"error": CANARY})}])  # what is refused shows nothing
    breaks(rule, {"ours": ours, "GET /slots": exchange(slots)}, "GET /slots without a key", CANARY)
    breaks(rule, {"ours": ours, "GET /v1/streams": exchange(b'["chatcmpl-4f1c73"]')}, "GET /v1/streams", "4f1c73")
    (told,) = found(rule, {"ours": refused(500), "GET /slots": exchange(slots)})
    assert (told.kind, told.causes) == ("no-evidence", ("http/valid-request-is-answered[*]",))
    assert [f.kind for f in found(rule, {"ours": ours, "GET /slots": refused(503)})] == ["no-evidence"]


def test_what_each_route_said_is_told_whatever_the_outcome():
    assert table({"ours": plain(), **asked("GET /tools", refused(401))}, None) == {
        "GET /tools": "401",
        "GET nobody's path": "404",
    }
