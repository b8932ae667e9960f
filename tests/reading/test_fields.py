"""JSON of anybody is read strictly, and no deeper than whoever shows it can go."""

import pytest

from seatrial.reading import fields


@pytest.mark.parametrize("text", [b"5", b'{"a": [1, {"b": null}]}', b"[" * 128 + b"]" * 128, b"[[],[]]" + b" " * 300])
def test_json_is_read(text):
    fields.decoded(text)


@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
@pytest.mark.parametrize("times", [129, 400, 100_000])
def test_what_is_nested_deeper_is_not_read(opens, closes, times):
    with pytest.raises(fields.NoJsonError, match="nested deeper than 128"):
        fields.decoded(opens * times + b"0" + closes * times)


def test_many_side_by_side_are_no_depth():
    assert len(fields.decoded(b"[" + b",".join([b"[[1]]"] * 500) + b"]")) == 500


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b'"\\ud800"', b"NaN", b"{} {}"])
def test_what_is_no_json_says_so(text):
    with pytest.raises(fields.NoJsonError):
        fields.decoded(text)


def test_counts_of_many_are_those_of_each():
    for values in (
        [],
        [None, 3, 0],
        [True, 3],
        [1, 2.0],
        [None, fields.MOST, -fields.MOST],
        [fields.MOST + 1, 5],
        ["7"],
    ):
        assert fields.all_counted(iter(values)) == [fields.counted(value) for value in values]
