"""Vectors, as they are read of an answer."""

from __future__ import annotations

import base64
import json
import math
import struct

import pytest

from seatrial.reading.embeddings import cosine, vectors, wanted
from tests.checks.specimens import exchange


def answered(*given, asked=None):
    data = [{"object": "embedding", "index": n, "embedding": each} for n, each in enumerate(given)]
    body = json.dumps({"object": "list", "data": data, "model": "m"}).encode()
    return exchange(body, asked=asked or {"model": "m", "input": "x"}, path="/embeddings")


def packed(*values):
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def test_both_ways_are_read_alike():
    one, other = vectors(answered([0.5, -2], packed(0.5, -2)))
    assert (one.form, other.form) == ("float", "base64")
    assert one.values == other.values == (0.5, -2.0)
    assert (one.index, other.index) == (0, 1)
    assert cosine(one, other) == pytest.approx(1)
    assert one.norm == pytest.approx(math.hypot(0.5, 2))


@pytest.mark.parametrize(
    ("sent", "form", "wrong"),
    [
        ("not base64!", "base64", "no base64"),
        ("YWJj", "base64", "3 bytes"),
        ([1, "x"], "float", "not all"),
        ([1, True], "float", "not all"),
        ([10**400], "float", "too large"),
        (None, "", "neither"),
        ({}, "", "neither"),
    ],
)
def test_what_cannot_be_read_says_why(sent, form, wrong):
    (one,) = vectors(answered(sent))
    assert (one.form, one.values, one.norm) == (form, (), 0)
    assert wrong in one.wrong


@pytest.mark.parametrize("data", [None, 5, "x", {}, [5], [None], [[]]])
def test_anything_can_be_read(data):
    x = exchange(json.dumps({"data": data}).encode(), asked={"input": data})
    assert all(not v.values for v in vectors(x))
    assert wanted(x) == 1


@pytest.mark.parametrize(
    ("given", "count"), [("x", 1), (["x"], 1), (["x", "y"], 2), ([1, 2], 1), ([[1], [2]], 2), ([], 0)]
)
def test_how_many_are_wanted(given, count):
    assert wanted(answered([1.0], asked={"model": "m", "input": given})) == count


def test_no_direction_no_cosine():
    zero, unit, wide, endless = vectors(answered([0.0, 0.0], [1.0, 0.0], [1.0, 0.0, 0.0], packed(math.inf, 1)))
    assert cosine(zero, unit) is cosine(unit, wide) is cosine(unit, endless) is None
