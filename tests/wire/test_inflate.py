"""Content codings, within bounds."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from seatrial.wire.decoding.inflate import INFLATED_CAP, MEMBERS_CAP, inflate

TEXT = b"calm sea " * 1000


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        pytest.param("gzip", gzip.compress(TEXT), id="gzip"),
        pytest.param(" X-GZip", gzip.compress(TEXT), id="x-gzip"),
        pytest.param("deflate", zlib.compress(TEXT), id="deflate"),
        pytest.param("deflate", raw_deflate(TEXT), id="raw-deflate"),
        pytest.param("gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]), id="members"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_what_was_packed_comes_out(coding: str, packed: bytes, size: int) -> None:
    pieces = [packed[i : i + size] for i in range(0, len(packed), size)]
    result = inflate(coding, pieces)
    assert (result.body, result.fault, result.inspected) == (TEXT, "", len(packed))
    assert [index for _, index in result.ends] == list(range(len(pieces)))
    assert result.ends[-1][0] == len(TEXT)


@pytest.mark.parametrize(
    ("coding", "packed", "fault"),
    [
        pytest.param("gzip", gzip.compress(TEXT)[:-9], "is cut", id="cut"),
        pytest.param("gzip", TEXT, "does not inflate", id="not-gzip"),
        pytest.param("gzip", gzip.compress(TEXT) + b"junk", "does not inflate", id="junk-behind"),
        pytest.param("gzip", gzip.compress(b"") * (MEMBERS_CAP + 1), "members", id="many-members"),
        pytest.param("br", TEXT, "not understood", id="unknown"),
    ],
)
def test_what_is_broken_is_named(coding: str, packed: bytes, fault: str) -> None:
    assert fault in inflate(coding, [packed]).fault


def test_a_bomb_costs_no_more_than_the_cap() -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(60)) + packer.flush()
    tracemalloc.start()
    result = inflate("gzip", [bomb])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(result.body) == INFLATED_CAP
    assert "more than" in result.fault
    assert peak < 4 * INFLATED_CAP
