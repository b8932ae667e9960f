"""Every way in which an answer may carry a text, as the bytes of a whole HTTP answer."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from tests.wire.exchanges import GZIP, JSON_TYPE, STREAM_TYPE, answer, chunked, event


def pieces(text: str, size: int = 1) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def chunk_of(delta: Any, index: Any = 0, **more: Any) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [{"index": index, "delta": delta, **more}]}


def stream(values: Any) -> bytes:
    return chunked(*[event(value) for value in values], event(b"[DONE]"))


def _field(name: str, size: int = 1) -> Callable[[str], bytes]:
    return lambda text: stream(chunk_of({name: piece}) for piece in pieces(text, size))


def _alternate(*names: str) -> Callable[[str], bytes]:
    return lambda text: stream(
        chunk_of({names[i % len(names)]: piece}) for i, piece in enumerate(pieces(text))
    )  # fmt: skip


def _error(text: str, status: bytes = b"401 Unauthorized") -> bytes:
    return answer(json.dumps({"error": {"message": f"wrong key: {text}"}}).encode(), status=status)


def _header(text: str) -> bytes:
    line = b"X-Echo: " + text.encode("latin-1", "replace").replace(b"\r", b"").replace(b"\n", b"") + b"\r\n"
    return answer(b"{}", line.replace(b"\0", b"") + JSON_TYPE)


def _calls(part: str) -> Callable[[str], bytes]:
    return lambda text: stream(
        chunk_of({"tool_calls": [{"index": 0, "function": {part: piece}}]}) for piece in pieces(text)
    )


def _noise() -> dict[str, Any]:
    return {"content": "#"}


def _between(noise: Callable[[], Any], field: str = "content") -> Callable[[str], bytes]:
    """A piece of the text, then noise that a reader passes over."""

    def made(text: str) -> Iterator[Any]:
        for piece in pieces(text):
            yield chunk_of({field: piece})
            yield noise()

    return lambda text: stream(made(text))


def _raw_events(spell: Callable[[str], str]) -> Callable[[str], bytes]:
    """Events whose data is written by hand; ``spell`` gets a piece as JSON."""
    return lambda text: chunked(*[spell(json.dumps(piece)).encode() for piece in pieces(text)])


def _logprobs(entry: Callable[[str], Any]) -> Callable[[str], bytes]:
    return lambda text: stream(
        chunk_of({"content": "x"}, logprobs={"content": [entry(piece)]}) for piece in pieces(text)
    )


def _mixed(text: str) -> bytes:
    entries = [
        {"token": piece} if i % 2 else {"token": "#", "bytes": list(piece.encode())}
        for i, piece in enumerate(pieces(text))
    ]
    return stream(chunk_of({"content": "x"}, logprobs={"content": [entry]}) for entry in entries)


def _unnumbered_calls(text: str) -> bytes:
    return stream(
        chunk_of({"tool_calls": [{"function": {"arguments": piece}}, {"function": {"arguments": "#"}}]})
        for piece in pieces(text)
    )


def _choices_in_turn(text: str) -> bytes:
    return stream(chunk_of({"content": piece}, i % 3) for i, piece in enumerate(pieces(text)))


def _first_with_and_without_index(text: str) -> bytes:
    def made() -> Iterator[Any]:
        for i, piece in enumerate(pieces(text)):
            made = chunk_of({"content": piece})
            if i % 2:
                del made["choices"][0]["index"]
            yield made
            yield chunk_of({"content": "#"}, 1)

    return stream(made())


def _thought_masked_by_the_other(text: str) -> bytes:
    """Where both fields are there a reader takes the first."""
    return stream(
        chunk_of({"reasoning_content": piece, "reasoning": "#"} if i % 2 else {"reasoning": piece})
        for i, piece in enumerate(pieces(text))
    )


_OPEN, _CLOSE = '{"choices":[{"index":0,"delta":{', "}}]}"

CARRIERS: dict[str, Callable[[str], bytes]] = {
    "an error's message": _error,
    "a body that is no JSON": lambda text: answer(b"<pre>" + text.encode(), b"Content-Type: text/html\r\n"),
    "a body without a type": lambda text: answer(text.encode(), b""),
    "a member's name": lambda text: answer(json.dumps({text: 1}).encode()),
    "a header": _header,
    "a whole delta": _field("content", 10_000),
    "content": _field("content"),
    "content, by sevens": _field("content", 7),
    "thought": _field("reasoning_content"),
    "both names of thought in turn": _alternate("reasoning_content", "reasoning"),
    "a thought beside another": _thought_masked_by_the_other,
    "content and thought in turn": _alternate("content", "reasoning"),
    "content and refusal in turn": _alternate("content", "refusal"),
    "a vendor's field": _field("vendor_says"),
    "a call's arguments": _calls("arguments"),
    "a call's name": _calls("name"),
    "two calls without an index": _unnumbered_calls,
    "a call's id": lambda text: stream(chunk_of({"tool_calls": [{"index": 0, "id": p}]}) for p in pieces(text)),
    "tokens": _logprobs(lambda piece: {"token": piece, "logprob": -1, "bytes": None}),
    "bytes of tokens": _logprobs(lambda piece: {"token": "#", "logprob": -1, "bytes": list(piece.encode())}),
    "bytes and tokens": _mixed,
    "bytes of likely tokens": _logprobs(lambda p: {"token": "#", "top_logprobs": [{"bytes": list(p.encode())}]}),
    "a list of bytes": lambda text: answer(json.dumps({"bytes": list(text.encode())}).encode()),
    "a list of bytes in lines": lambda text: answer(json.dumps({"bytes": list(text.encode())}, indent=2).encode()),
    "a list of characters": lambda text: answer(json.dumps({"said": list(text)}).encode()),
    "choices in turn": _choices_in_turn,
    "the first choice, with and without its index": _first_with_and_without_index,
    "an index of nought below nothing": _raw_events(
        lambda p: f'data: {{"choices":[{{"index":{"-0" if ord(p[1]) % 2 else "0"},"delta":{{"content":{p}}}}}]}}\n\n'
    ),
    "the model": lambda text: stream({"model": piece, **chunk_of(_noise())} for piece in pieces(text)),
    "the id": lambda text: stream({"id": piece, **chunk_of(_noise())} for piece in pieces(text)),
    "the finish reason": lambda text: stream(chunk_of({}, finish_reason=piece) for piece in pieces(text, 10_000)),
    "an escaped name": _raw_events(
        lambda p: f'data: {_OPEN}"{"content" if ord(p[1]) % 2 else chr(92) + "u0063ontent"}":{p}{_CLOSE}\n\n'
    ),
    "a name that comes twice": _raw_events(lambda p: f'data: {_OPEN}"content":"#","content":{p}{_CLOSE}\n\n'),
    "data in two lines": _raw_events(lambda p: f'data: {_OPEN}"content":\ndata: {p}{_CLOSE}\n\n'),
    "data in two lines with a comment": _raw_events(
        lambda p: f'data: {_OPEN}"content":\n: keep-alive\nevent: x\ndata: {p}{_CLOSE}\n\n'
    ),
    "lines that end by CR": _raw_events(lambda p: f'data: {_OPEN}"content":{p}{_CLOSE}\r\r'),
    "beside NaN": _raw_events(lambda p: f'data: {{"x":NaN,{_OPEN[1:]}"content":{p}{_CLOSE}\n\n'),
    "between broken events": _between(lambda: b'{"choices":[{"index":0,"delta":{"content":"#'),
    "between other choices": _between(lambda: chunk_of(_noise(), 1)),
    "between other fields": _between(lambda: chunk_of({"reasoning": "#"})),
    "as JSON text": lambda text: answer(json.dumps({"error": json.dumps({"message": text})}).encode()),
    "byte by byte": lambda text: chunked(
        *[bytes([b]) for b in json.dumps({"error": text}).encode()], headers=JSON_TYPE
    ),
    "a list of bytes, byte by byte": lambda text: chunked(
        *[bytes([b]) for b in json.dumps({"bytes": list(text.encode())}).encode()], headers=JSON_TYPE
    ),
    "gzip": lambda text: answer(gzip.compress(json.dumps({"e": text}).encode(), mtime=0), JSON_TYPE + GZIP),
    "gzip of a stream": lambda text: answer(
        gzip.compress(b"".join(event(chunk_of({"content": p})) for p in pieces(text)), mtime=0), STREAM_TYPE + GZIP
    ),
    "gzip that nobody announced": lambda text: answer(gzip.compress(json.dumps({"e": text}).encode(), mtime=0)),
    "gzip twice": lambda text: answer(
        gzip.compress(gzip.compress(json.dumps({"e": text}).encode(), mtime=0), mtime=0), JSON_TYPE + GZIP
    ),
    "gzip, by a second header": lambda text: answer(
        gzip.compress(text.encode(), mtime=0), JSON_TYPE + b"Content-Encoding: identity\r\n" + GZIP
    ),
    "gzip as a transfer coding": lambda text: chunked(
        gzip.compress(text.encode(), mtime=0), headers=JSON_TYPE + b"Transfer-Encoding: gzip\r\n"
    ),
    "deflate": lambda text: answer(zlib.compress(text.encode()), JSON_TYPE + b"Content-Encoding: deflate\r\n"),
    "deflate that nobody announced": lambda text: answer(zlib.compress(text.encode())),
    "raw deflate": lambda text: answer(
        zlib.compress(text.encode(), wbits=-15), JSON_TYPE + b"Content-Encoding: deflate\r\n"
    ),
    "behind the end": lambda text: answer(b"{}") + text.encode(),
    "half of it behind the end": lambda text: b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + text.encode(),
    "beside a 204": lambda text: answer(text.encode(), status=b"204 No Content"),
    "a comment": lambda text: chunked(b": " + text.encode() + b"\n\n", event({"a": 1})),
    "an event's name": lambda text: chunked(b"event: " + text.encode() + b"\ndata: {}\n\n"),
    "an event's id": lambda text: chunked(b"id: " + text.encode() + b"\ndata: {}\n\n"),
    "a stray line": lambda text: chunked(text.encode() + b"\n\n", event({"a": 1})),
    "no HTTP": lambda text: b"HTTP/1.1 nonsense " + text.encode(),
    "no stream, though it says so": lambda text: answer(json.dumps({"error": text}).encode(), STREAM_TYPE),
}


LINES: dict[str, Callable[[bytes], bytes]] = {
    "the reason": lambda text: answer(b"{}", status=b"401 " + text),
    "a header's name": lambda text: answer(b"{}", text + b": 1\r\n"),
    "a folded header": lambda text: answer(b"{}", b"X-Echo: " + text[:9] + b"\r\n\t" + text[9:] + b"\r\n"),
    "a header folded often": lambda text: answer(
        b"{}", b"X-Echo: " + b"\r\n ".join(text[i : i + 2] for i in range(0, len(text), 2)) + b"\r\n"
    ),
    "an answer before the answer": lambda text: (
        b"HTTP/1.1 103 " + text + b"\r\nX: " + text + b"\r\n\r\n" + answer(b"{}")
    ),
    "a trailer": lambda text: chunked(b"{}", headers=JSON_TYPE, last=b"0\r\nX-Echo: " + text + b"\r\n\r\n"),
    "a chunk's extension": lambda text: chunked(headers=JSON_TYPE, last=b"2;said=" + text + b"\r\n{}\r\n0\r\n\r\n"),
    "a size that is none": lambda text: chunked(headers=JSON_TYPE, last=text + b"\r\n{}\r\n"),
}
"""Ways of a text that can stand on a line of HTTP."""
