"""Rules on errors."""

from tests.checks.specimens import ERROR, HTML, breaks, exchange, found, holds, pair, plain, refused


def test_error_object_has_its_shape():
    rule = "errors/error-object-has-its-shape"
    inner = ERROR["error"]
    holds(rule, [plain(), refused(), refused(500), refused(body={"error": inner | {"code": 400}})])
    holds(rule, [refused(status, b"<html>", headers=HTML, path="/embeddings") for status in (404, 405)])
    breaks(rule, refused(404, b"<html>", headers=HTML, path="/chat/completions"), "error", "404")
    breaks(rule, refused(422, {"detail": []}), "error", "422")
    breaks(rule, refused(200), "the status", "200")
    holds(rule, [plain({"error": None}), plain({"error": inner})])
    breaks(rule, refused(502, b"<html>", headers=HTML), "error", "text/html")
    breaks(rule, refused(body={"error": "no"}), "error", "no")
    breaks(rule, refused(body={"error": inner | {"message": " "}}), "error.message")
    breaks(rule, refused(body={"error": {"message": "no"}}), "error.type", "no such key")
    breaks(rule, refused(body={"error": inner | {"code": [1]}}), "error.code", "[1]")
    breaks(rule, refused(body={"error": inner | {"param": 5}}), "error.param", "5")


def test_the_strict_error_object_has_all_four():
    rule = "errors/error-object-has-its-shape"
    inner = ERROR["error"]
    holds(rule, [refused()], strict=True)
    holds(rule, [refused(body={"error": {"message": "no", "type": "t"}})])
    breaks(rule, refused(body={"error": {"message": "no", "type": "t", "code": None}}), "param", "no such", strict=True)
    breaks(rule, refused(body={"error": inner | {"code": 400}}), "error.code", "400", strict=True)


def test_client_fault_is_never_5xx():
    rule = "errors/client-fault-is-never-5xx"
    holds(rule, [pair(refused()), pair(plain())])
    breaks(rule, pair(refused(500)), "the status", "500")
    assert "three times" in breaks(rule, pair(refused(501)), "the status").consequence
    unfit = {"error": {"message": "Start it with `--embeddings`", "type": "not_supported_error"}}
    holds(rule, [pair(refused(status, unfit, path="/embeddings")) for status in (500, 501)])
    breaks(rule, pair(refused(500, path="/embeddings")), "the status", "500")


def test_next_request_is_answered():
    rule = "errors/next-request-is-answered"
    holds(rule, [pair(refused()), pair(plain())])
    breaks(rule, pair(refused(), refused(500)), "the request after", "500")
    breaks(rule, pair(refused(), exchange(b"{}")), "the request after", "{}")
    breaks(rule, pair(refused(), exchange(b"", status=None, error="reset")), "the request after", "reset")
    breaks(rule, pair(refused(), exchange(b"", status=None, error="refused")), "the request after", "refused")
    breaks(rule, pair(refused(), refused(500)) | {"before": plain()}, "the request after", "500")
    assert [f.kind for f in found(rule, {"bad": refused()})] == ["no-evidence"]


def test_what_a_good_request_does_not_get_either_shows_nothing_of_a_faulty_one():
    ill = refused(500, scenario="chat/one-token")
    xs = pair(refused(500), refused(500)) | {"before": ill}
    for rule in (
        "errors/next-request-is-answered",
        "errors/client-fault-is-never-5xx",
        "errors/error-object-has-its-shape",
    ):
        (finding,) = found(rule, xs)
        assert finding.kind == "no-evidence"
        assert "http/valid-request-is-answered[one-token]" in finding.causes
    breaks("errors/client-fault-is-never-5xx", xs | {"before": plain()}, "the status", "500")


def test_faulty_request_is_answered():
    rule = "errors/faulty-request-is-answered"
    silent = exchange(b"", status=None, error="reset")
    holds(rule, [pair(refused()), pair(refused(500)), pair(plain())])
    breaks(rule, pair(silent), "the answer", "reset")
    assert breaks(rule, pair(exchange(b"", status=None, error="deadline")), "the answer").grave
    assert [f.kind for f in found(rule, pair(silent) | {"before": silent})] == ["no-evidence"]


def test_what_is_unanswered_or_a_5xx_is_one_finding():
    for x, cause in (
        (exchange(b"", status=None, error="reset"), "faulty-request-is-answered"),
        (refused(500), "client-fault-is-never-5xx"),
    ):
        (finding,) = found("chat/bad-messages-are-refused", pair(x))
        assert finding.causes == (f"errors/{cause}",)
