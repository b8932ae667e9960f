"""Streams as servers send and break them, measured and named: the transport and the outcome together."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from seatrial.wire.masking.mask import Mask
from seatrial.wire.transports.load import LoadTarget, Stream, get, stream
from seatrial.wire.transports.outcomes import classify, cut_by_us
from seatrial.wire.transports.tap import Watchman
from tests.load.scripted import CHUNKED, CLOSED, DONE, FINISH, LAST, RESET, USAGE, WAIT, chunk, delta, event, scripted

WHOLE = (chunk(delta("one")), chunk(delta("two")), chunk(FINISH), chunk(USAGE), chunk(DONE))
KEY = "sk-0123456789abcdef"


def ask(*steps: bytes | str, key: str | None = None, **limits: Any) -> Stream:
    with scripted(*steps) as server:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        target = LoadTarget(server.url, Mask(key), headers=headers, **{"idle_s": 5.0, "deadline_s": 10.0, **limits})
        return stream(target, b'{"stream":true}')


BROKEN = {
    "ok": (CHUNKED, *WHOLE, LAST),
    "ok, close-delimited": (CLOSED, delta("one"), FINISH, DONE),
    "ok, without [DONE]": (CHUNKED, chunk(delta("one")), chunk(FINISH), LAST),
    "ok, final usage alone": (CHUNKED, chunk(delta("one")), chunk(USAGE), LAST),
    "ok, [DONE] alone": (CHUNKED, chunk(delta("one")), chunk(DONE), LAST),
    "ok, cut after [DONE]": (CHUNKED, chunk(delta("one")), chunk(FINISH), chunk(DONE)),
    "ok, thought alone": (CHUNKED, chunk(event(b'{"choices":[{"delta":{"reasoning":"hm"}}]}')), chunk(DONE), LAST),
    "no_terminator": (CHUNKED, chunk(delta("one")), chunk(delta("two")), LAST),
    "no_terminator, usage before its words": (CHUNKED, chunk(USAGE), chunk(delta("one")), LAST),
    "ok, usage before its words and after them": (CHUNKED, chunk(USAGE), chunk(delta("one")), chunk(USAGE), LAST),
    "no_terminator, close-delimited": (CLOSED, delta("one")),
    "no_terminator, not a word": (CHUNKED, LAST),
    "truncated": (CHUNKED, chunk(delta("one"))),
    "truncated in a chunk": (CHUNKED, chunk(delta("one")), b"100\r\ndata: {"),
    "truncated, too short": (CLOSED.replace(b"Connection: close", b"Content-Length: 999"), delta("one")),
    "truncated, finished without [DONE]": (CHUNKED, chunk(delta("one")), chunk(FINISH)),
    "reset": (CHUNKED, chunk(delta("one")), RESET),
    "reset before an answer": (RESET,),
    "reset, closed before an answer": (),
    "not_http": (b"SSH-2.0-OpenSSH_9.2\r\n", WAIT),
    "not_http, broken chunk": (CHUNKED, b"zz\r\nabc\r\n", WAIT),
    "not_http, in one read with a word": (CHUNKED, chunk(delta("one")) + b"zz\r\n", WAIT),
    "not_http, closed": (b"SSH-2.0-OpenSSH_9.2\r\n",),
    "reset, a head cut short": (b"HTTP/1.1 200 OK\r\nContent-Ty",),
    "ok, events cut anywhere": (CHUNKED, *[b"%x\r\n%b\r\n" % (1, bytes([c])) for c in delta("one") + DONE], LAST),
    "http_4xx": (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno",),
    "http_5xx": (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",),
    "http_other": (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n",),
    "busy": (b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",),
    "not_a_stream": (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",),
    "sse_error": (CHUNKED, chunk(event(b'{"error":{"message":"out of memory"}}')), chunk(DONE), LAST),
    "sse_error, by type": (CHUNKED, chunk(b'event: error\ndata: {"message":"x"}\n\n'), LAST),
    "sse_error, bare": (CHUNKED, chunk(delta("one")), chunk(b'error: {"code":500}\n\n'), LAST),
    "malformed": (CHUNKED, chunk(delta("one")), chunk(event(b'{"choices":')), chunk(DONE), LAST),
    "malformed, nested deeper than a stack": (
        CHUNKED,
        chunk(event(b'{"model":%s' % (b"[" * 50_000))),
        chunk(DONE),
        LAST,
    ),
    "empty": (CHUNKED, chunk(FINISH), chunk(DONE), LAST),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_break_has_its_word(name: str) -> None:
    s = ask(*BROKEN[name])
    assert classify(s) == name.partition(",")[0].partition(" ")[0], s


def test_a_count_beyond_all_reckoning_is_none() -> None:
    """Whoever reckons with it later would come to an end over it, and with him every verdict on that load."""
    told = b'{"prompt_tokens":5,"completion_tokens":1%b,"prompt_tokens_details":{"cached_tokens":-1%b}}' % (
        (b"0" * 400,) * 2
    )
    timings = b'{"draft_n":1%b,"draft_n_accepted":3}' % (b"0" * 400)
    last = event(b'{"choices":[],"usage":%b,"timings":%b}' % (told, timings))
    s = ask(CHUNKED, chunk(delta("one")), chunk(FINISH), chunk(last), chunk(DONE), LAST)
    assert classify(s) == "ok"
    assert (s.prompt_tokens, s.tokens, s.cached, s.drafted, s.accepted) == (5, None, None, None, 3)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (b'{"prompt_tokens":"5","completion_tokens":"2","total_tokens":"7"}', None),
        (b'{"prompt_tokens":5.0,"completion_tokens":2.0}', None),
        (b'{"prompt_tokens":true,"completion_tokens":{"n":2}}', None),
        (b'"none"', None),
        (b"[5,2]", None),
        (b"7", None),
        (b"null", None),
        (b'{"prompt_tokens":5,"completion_tokens":2,"total_tokens":"7"}', 2),
        (b'{"prompt_tokens":5,"completion_tokens":2}', 2),
    ],
)
def test_an_odd_usage_is_none_and_spoils_no_answer(usage: bytes, tokens: int | None) -> None:
    """What is wrong with it rules say; who reads the answer has it."""
    s = ask(
        CHUNKED,
        chunk(delta("one")),
        chunk(FINISH),
        chunk(event(b'{"choices":[],"usage":%b}' % usage)),
        chunk(DONE),
        LAST,
    )
    assert (classify(s), s.tokens, s.faults) == ("ok", tokens, 0)


@pytest.mark.parametrize(
    ("after", "tokens"), [(b"{}", 2), (b'{"other":1}', 2), (b"null", 2), (b'{"completion_tokens":3}', 3)]
)
def test_a_usage_without_a_count_takes_none_back(after: bytes, tokens: int) -> None:
    told, later = (event(b'{"choices":[],"usage":%b}' % usage) for usage in (b'{"completion_tokens":2}', after))
    s = ask(CHUNKED, chunk(delta("one")), chunk(FINISH), chunk(told), chunk(later), chunk(DONE), LAST)
    assert (classify(s), s.tokens) == ("ok", tokens)


@contextlib.contextmanager
def looking() -> Iterator[Watchman]:
    """A watchman who looks, from another thread."""
    watchman, gone = Watchman(), threading.Event()

    def look() -> None:
        while not gone.wait(0.01):
            watchman.look()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watchman
    finally:
        gone.set()
        thread.join()


@pytest.fixture(params=["timers", "a watchman"])
def watchman(request: pytest.FixtureRequest) -> Iterator[Watchman | None]:
    """Who ends waits that last too long."""
    with looking() if request.param == "a watchman" else contextlib.nullcontext() as found:
        yield found


def test_a_silent_stream_is_a_stall(watchman: Watchman | None) -> None:
    s = ask(CHUNKED, chunk(delta("one")), WAIT, idle_s=0.2, deadline_s=60.0, watchman=watchman)
    assert classify(s) == "stall"
    assert s.deltas == 1
    assert (s.ended_at - s.last_at) / 1e9 < 30, "its deadline came later"


def test_dripped_headers_end_at_the_deadline(watchman: Watchman | None) -> None:
    dripped = [b"X-A: b\r\n"] * 90
    s = ask(b"HTTP/1.1 200 OK\r\n", *dripped, WAIT, idle_s=60.0, deadline_s=0.4, watchman=watchman)
    assert classify(s) == "deadline"
    assert (s.ended_at - s.sent_at) / 1e9 < 30, "it was never silent for so long as its patience"


def test_a_silent_answer_ends_at_the_deadline(watchman: Watchman | None) -> None:
    s = ask(WAIT, idle_s=0.05, deadline_s=0.3, watchman=watchman)
    assert (classify(s), s.status) == ("deadline", 0)


def test_a_watchman_leaves_alone_what_moves_and_forgets_what_is_over(watchman: Watchman | None) -> None:
    s = ask(CHUNKED, *[chunk(delta("one"))] * 40, chunk(DONE), LAST, idle_s=0.25, deadline_s=60.0, watchman=watchman)
    assert (classify(s), s.deltas) == ("ok", 40)
    assert watchman is None or not watchman.guarded


def test_an_endless_stream_ends_at_the_cap() -> None:
    s = ask(CLOSED, *[delta("x" * 1000)] * 200, cap_bytes=50_000)
    assert classify(s) == "too_large"
    assert len(s.response) < 150_000


def test_a_giant_chunk_size_is_not_believed() -> None:
    s = ask(CHUNKED, b"ffffffffff\r\n" + delta("one"))
    assert classify(s) == "truncated"
    assert s.deltas == 1


def test_a_body_that_never_ends_after_done_does_not_hold_us(watchman: Watchman | None) -> None:
    s = ask(CHUNKED, *WHOLE, WAIT, idle_s=60.0, deadline_s=60.0, watchman=watchman)
    assert classify(s) == "ok"
    assert s.error == "deadline"
    assert (s.ended_at - s.last_at) / 1e9 < 30


def test_times_tokens_and_the_longest_gap() -> None:
    s = ask(CHUNKED, *WHOLE, LAST)
    assert (s.deltas, s.prompt_tokens, s.tokens, s.finish_reason, s.done) == (2, 5, 3, "stop", True)
    assert s.sent_at < s.first_at < s.last_at <= s.ended_at
    assert (s.gap_from, s.gap_to) == (s.first_at, s.last_at)


def test_bytes_are_those_of_the_wire_and_frames_cover_them() -> None:
    s = ask(CHUNKED, *WHOLE, LAST)
    assert s.response == b"".join((CHUNKED, *WHOLE, LAST))
    assert sum(length for _, length in s.frames) == len(s.response)
    assert s.request.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert s.request.endswith(b'\r\n\r\n{"stream":true}')


def test_the_key_is_masked_even_across_reads() -> None:
    half = len(KEY) // 2
    first, second = b"data: " + KEY[:half].encode(), KEY[half:].encode() + b"\n\n"
    s = ask(CLOSED, delta("one"), first, second, key=KEY)
    assert KEY.encode() not in s.request + s.response
    assert KEY not in s.fault + s.detail
    assert sum(length for _, length in s.frames) == len(s.response)


def test_what_chunks_call_the_model_is_kept_once_bounded_and_masked() -> None:
    called = [b"a", b"a", b"", b"sk-0123456789abcdef", b"n" * 900, b"b"]
    steps = [chunk(event(b'{"model":"%s","choices":[{"delta":{"content":"x"}}]}' % name)) for name in called]
    odd = chunk(event(b'{"model":[5],"choices":[]}'))
    s = ask(CHUNKED, odd, *steps, chunk(FINISH), chunk(DONE), LAST, key=KEY)
    assert s.named == ("a", "*" * len(KEY), "n" * 200)
    assert classify(s) == "ok"
    half = chunk(event(b'{"model":"%s%s"}' % (b"n" * 190, KEY.encode())))
    assert ask(CHUNKED, half, chunk(DONE), LAST, key=KEY).named == ("n" * 190 + "*" * 10,)


def test_nobody_listens() -> None:
    with scripted() as server:
        url = server.url
    s = stream(LoadTarget(url, Mask(None)), b"{}")
    assert classify(s) == "refused"
    assert "0x" not in s.detail


def test_a_name_that_is_none() -> None:
    assert classify(stream(LoadTarget("http://no-such-host.invalid/v1", Mask(None)), b"{}")) == "unreachable"


def test_tls_is_wanted_and_plain_text_answers() -> None:
    with scripted(b"no") as server:
        s = stream(LoadTarget(server.url.replace("http:", "https:"), Mask(None), deadline_s=0.5), b"{}")
    assert classify(s) == "tls"


def test_get_below_the_base_and_from_the_root() -> None:
    with scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as server:
        target = LoadTarget(server.url, Mask(None))
        assert (get(target, "/models").body, get(target, "//metrics").status) == (b"hi", 200)
    assert [r.split(b" ")[1] for r in server.requests] == [b"/v1/models", b"/metrics"]
    assert get(target, "/models").status == 0


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        (Stream(), "cancelled"),
        (Stream(status=200, deltas=3), "cancelled"),
        (Stream(status=200, done=True), "cancelled"),
        (Stream(status=500), "http_5xx"),
        (Stream(status=429), "busy"),
        (Stream(status=200, reported=True), "sse_error"),
        (Stream(status=200, faults=1), "malformed"),
        (Stream(status=200, error="reset"), "reset"),
        (Stream(status=200, error="cut"), "truncated"),
    ],
)
def test_what_we_cut_is_ours_unless_the_server_had_spoilt_it_before(seen: Stream, word: str) -> None:
    assert cut_by_us(seen) == word


def test_a_prompt_is_read_in_silence_until_the_deadline() -> None:
    for begun in ((), (CHUNKED,), (CHUNKED, chunk(b": still there\n\n"))):  # some send headers before its turn
        s = ask(*begun, WAIT, idle_s=0.05, deadline_s=0.4)
        assert classify(s) == "deadline", begun
