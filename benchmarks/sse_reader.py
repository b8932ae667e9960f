"""The SSE reader with typed decoding, against httpx-sse and the openai SDK's decoder, both with json.

All read the same bytes, cut into the same reads, down to the text of each delta. Peers are taken at their fastest:
decoders alone, without a client around them. Time is the process's own CPU time, best of many short rounds in which the
three take turns: other work on the machine then falls on all alike.
"""

from __future__ import annotations

import codecs
import json
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator

from httpx_sse._decoders import SSEDecoder, SSELineDecoder
from openai import _streaming

from seatrial.wire.decoding.chunks import decode
from seatrial.wire.decoding.sse import Reader

EVENTS = 1_000
ROUNDS = 40
WORDS = (" the", " sea", " is", " calm", ",", " and", " a", " ship", " sails", " 日本")

Reads = list[bytes]


def events(count: int) -> Iterator[bytes]:
    """Chat chunks as llama.cpp's server sends them."""
    for i in range(count):
        chunk = {
            "choices": [{"finish_reason": None, "index": 0, "delta": {"content": WORDS[i % len(WORDS)]}}],
            "created": 1764028800,
            "id": "chatcmpl-VwZ1yW5a8gcoIu7ZNW6RvD0CPvBCJq3b",
            "model": "gemma-3-270m-Q4_K_M.gguf",
            "system_fingerprint": "b7140-8f2e1c9",
            "object": "chat.completion.chunk",
        }
        yield b"data: " + json.dumps(chunk, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


def ours(reads: Iterable[bytes]) -> int:
    reader = Reader()
    size = 0
    for read in reads:
        for event in reader.feed(read):
            if event.data == b"[DONE]":
                return size
            for choice in decode(event.data).choices:
                size += len(choice.delta.content or "")
    return size


def httpx_sse(reads: Iterable[bytes]) -> int:
    text = codecs.getincrementaldecoder("utf-8")()
    lines, decoder = SSELineDecoder(), SSEDecoder()
    size = 0
    for read in reads:
        for line in lines.decode(text.decode(read)):
            event = decoder.decode(line)
            if event is None:
                continue
            if event.data == "[DONE]":
                return size
            for choice in json.loads(event.data)["choices"]:
                size += len(choice["delta"].get("content") or "")
    return size


def openai_sdk(reads: Iterable[bytes]) -> int:
    size = 0
    for event in _streaming.SSEDecoder().iter_bytes(iter(reads)):
        if event.data == "[DONE]":
            return size
        for choice in json.loads(event.data)["choices"]:
            size += len(choice["delta"].get("content") or "")
    return size


def cut(stream: bytes, size: int) -> Reads:
    return [stream[i : i + size] for i in range(0, len(stream), size)]


def best(readers: list[Callable[[Iterable[bytes]], int]], reads: Reads) -> list[float]:
    """CPU seconds of each reader, best of the rounds."""
    times = [float("inf")] * len(readers)
    for _ in range(ROUNDS):
        for i, reader in enumerate(readers):
            begin = time.process_time()
            reader(reads)
            times[i] = min(times[i], time.process_time() - begin)
    return times


def peak(count: int, read_size: int | None) -> int:
    """Bytes that reading a stream of so many events holds at most, the stream itself made as it goes: one event a read,
    or reads of a size."""

    def reads() -> Iterable[bytes]:
        return events(count) if read_size is None else rechunked(events(count), read_size)

    ours(reads())  # what the interpreter keeps of code it has run before is none of the stream's
    tracemalloc.start()
    try:
        ours(reads())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def rechunked(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in reads of a size, none of them held longer than it takes to fill the next."""
    held = b""
    for piece in pieces:
        held += piece
        while len(held) >= size:
            yield held[:size]
            held = held[size:]
    if held:
        yield held


def memory_is_flat() -> bool:
    """Whether fifty times the events take no more memory, however the stream is cut; says the figures."""
    flat = True
    for name, size in (("one event a read", None), ("64 KiB reads", 65536), ("100-byte reads", 100)):
        short, long = peak(1_000, size), peak(50_000, size)
        kept = long <= short * 1.1 + 4096
        flat &= kept
        print(
            f"  memory, {name:16} {short:8} bytes at most for 1,000 events, {long:8} for 50,000: "
            f"{'flat' if kept else 'MISSED: grows'}"
        )
    return flat


def main() -> int:
    whole = list(events(EVENTS))
    stream = b"".join(whole)
    crlf = stream.replace(b"\n", b"\r\n")
    framings = {
        "one event a read": (whole, 5.0, 7.0),
        "64 KiB reads": (cut(stream, 65536), 2.5, 3.3),
        "4096-byte reads": (cut(stream, 4096), 2.5, 3.3),
        "100-byte reads": (cut(stream, 100), 2.5, 3.3),
        "16-byte reads": (cut(stream, 16), 2.5, 3.3),
        "single bytes": (cut(stream[: len(stream) // 10], 1), 2.5, 3.3),
        "4096-byte reads, CRLF": (cut(crlf, 4096), 2.5, 3.3),
    }
    missed = False
    print(f"{len(whole)} events, {len(stream)} bytes; times faster than (floor)   httpx-sse     openai SDK")
    for name, (reads, floor_httpx, floor_sdk) in framings.items():
        totals = {reader(reads) for reader in (ours, httpx_sse, openai_sdk)}
        assert len(totals) == 1, f"{name}: the readers disagree: {totals}"
        mine, theirs, sdk = best([ours, httpx_sse, openai_sdk], reads)
        to_httpx, to_sdk = theirs / mine, sdk / mine
        kept = to_httpx >= floor_httpx and to_sdk >= floor_sdk
        missed |= not kept
        count = b"".join(reads).count(b"data: ")
        print(
            f"  {name:24} {mine / count * 1e6:6.2f} µs an event   {to_httpx:5.1f}x ({floor_httpx})"
            f"   {to_sdk:5.1f}x ({floor_sdk})   {'ok' if kept else 'MISSED'}"
        )
    missed |= not memory_is_flat()
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
