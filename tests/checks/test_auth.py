"""Rules on keys."""

import httpx2
import openai
import pytest

from seatrial.checks.areas.auth import WRONG
from tests.checks.specimens import breaks, exchange, found, holds, plain, refused

AWAY = {"error": {"message": "Invalid API key", "type": "authentication_error", "param": None, "code": None}}


def away(status=401, body=AWAY):
    return refused(status, body)


def keys(**answers):
    """What a server that guards itself answers to each authorization; some of it otherwise."""
    sound = {"before": plain(), "none": away(), "wrong": away(), "bare": away(), "basic": away()}
    return sound | {"lower": plain(), "spaces": plain(), "less": away(), "more": away()} | answers


def test_missing_key_is_a_401():
    rule = "auth/missing-key-is-a-401"
    holds(rule, [keys()])
    breaks(rule, keys(none=plain()), "the status", "200")
    breaks(rule, keys(none=away(403)), "the status", "403")
    breaks(rule, keys(none=away(401, {"detail": "no"})), "error.message", "detail")
    breaks(rule, keys(none=away(401, b"<html>")), "error.message", "<html>")


LOGIN = exchange(b"", status=302, headers={"Location": "https://sso.example/login?token=abc"})


@pytest.mark.parametrize(("rule", "name"), [("missing-key-is-a-401", "none"), ("wrong-key-is-a-401", "wrong")])
def test_a_login_page_is_told_as_what_it_is(rule, name):
    (told,) = found(f"auth/{rule}", keys(**{name: LOGIN}))
    assert (told.got, told.causes) == ("302 to https://sso.example/login", ())
    assert told.consequence.startswith("nobody is let in; whoever follows it, as openai-python does, takes the page")
    breaks(f"auth/{rule}", keys(**{name: away(302)}), "the status", "302 {")  # it leads nowhere


def test_a_client_on_the_official_sdk_takes_the_login_page_for_the_answer():
    def served(request: httpx2.Request) -> httpx2.Response:
        if request.url.path != "/login":
            return httpx2.Response(302, headers={"location": "/login"})
        return httpx2.Response(200, headers={"content-type": "text/html"}, text="<html>Sign in</html>")

    follows = openai.DefaultHttpxClient(transport=httpx2.MockTransport(served), trust_env=False)
    with openai.OpenAI(base_url="http://g.invalid/v1", api_key="none", max_retries=0, http_client=follows) as client:
        assert client.chat.completions.create(model="m", messages=[]) == "<html>Sign in</html>"


def test_wrong_key_is_a_401():
    rule = "auth/wrong-key-is-a-401"
    holds(rule, [keys()])
    assert breaks(rule, keys(wrong=plain()), "the status", "200").causes == ()
    assert breaks(rule, keys(wrong=plain(), none=plain()), "the status").causes == ("auth/missing-key-is-a-401",)
    breaks(rule, keys(wrong=away(500)), "the status", "500")
    assert "auth/missing-key-is-a-401" in breaks(rule, keys(wrong=away(401, b"<html>")), "error.message").causes
    assert breaks(rule, keys(wrong=plain(), none=away(302)), "the status", "200").causes == ()
    assert breaks(rule, keys(less=plain()), "the status", "200").about == "less"
    assert breaks(rule, keys(more=plain()), "the status", "200").about == "more"
    breaks(rule, keys(wrong=plain(), less=plain(), more=plain()), "the status", "200")  # told once
    kept = keys()
    del kept["less"], kept["more"]
    holds(rule, [kept])  # an older run


def test_odd_authorization_is_refused():
    rule = "auth/odd-authorization-is-refused"
    holds(rule, [keys(), keys(bare=away(400), basic=away(403))])
    holds(rule, [keys(bare=away(302), basic=away(307))])  # who is sent elsewhere is not let in
    breaks(rule, keys(bare=away(500)), "bare: the status", "500")
    breaks(rule, keys(basic=plain()), "basic: the status", "200")


def test_scheme_is_read_in_any_case():
    rule = "auth/scheme-is-read-in-any-case"
    holds(rule, [keys()])
    breaks(rule, keys(lower=away()), "lower: the status", "401")
    breaks(rule, keys(spaces=away(403)), "spaces: the status", "403")


def test_key_is_not_repeated():
    rule = "auth/key-is-not-repeated"
    holds(rule, [keys(), keys(wrong=away(401, {"error": {"message": f"Incorrect: {WRONG[:4]}***{WRONG[-4:]}"}}))])
    breaks(rule, keys(wrong=away(401, {"error": {"message": f"Incorrect: {WRONG}"}})), "the answer", "Incorrect")
    breaks(rule, keys(wrong=exchange(b"", status=401, headers={"x-key": WRONG})), "the answer")


def test_every_route_that_infers_is_guarded():
    rule = "auth/every-route-that-infers-is-guarded"
    chat, other = "POST /v1/chat/completions", "POST /invocations"
    holds(rule, [{chat: away(), other: away(403)}, {chat: away(), other: refused(404), "POST /infill": away(501)}])
    wrong = {chat: away(), other: exchange(b"{}", status=400, path="//invocations")}
    assert breaks(rule, wrong, "POST /invocations without a key", "400").causes == ()
    slash = {chat: away(), other: exchange(b"", status=307, path="//invocations")}
    holds(rule, [slash])
    moved = {chat: refused(302), other: exchange(b"{}", path="//invocations")}
    assert breaks(rule, moved, "POST /invocations without a key", "200").causes == ()  # the chat let nobody in
    assert [f.kind for f in found(rule, {chat: refused(302), other: refused(307)})] == ["no-evidence"]
    none = {chat: refused(400), other: exchange(b"{}", status=500, path="//invocations")}
    assert breaks(rule, none, chat, "400").causes == ("auth/missing-key-is-a-401[*]",)
    assert [f.kind for f in found(rule, {chat: refused(404), other: refused(503)})] == ["no-evidence"]


def test_any_key_is_taken():
    rule = "auth/any-key-is-taken"
    holds(rule, [{"before": plain(), "dummy": plain()}])
    breaks(rule, {"before": plain(), "dummy": away()}, "the status", "401")


@pytest.mark.parametrize("rule", ["missing-key-is-a-401", "wrong-key-is-a-401", "key-is-not-repeated"])
def test_where_the_key_itself_is_turned_away_nothing_is_told(rule):
    (told,) = found(f"auth/{rule}", keys(before=away()))
    assert (told.kind, told.causes) == ("no-evidence", ("http/valid-request-is-answered[s]",))


def test_who_is_busy_or_gone_shows_nothing_and_who_never_answers_is_at_fault():
    rule = "auth/missing-key-is-a-401"
    assert [f.kind for f in found(rule, keys(none=refused(503)))] == ["no-evidence"]
    assert [f.kind for f in found(rule, keys(none=exchange(b"", status=None, error="refused")))] == ["no-evidence"]
    breaks(rule, keys(none=exchange(b"", status=None, error="deadline")), "the answer")
