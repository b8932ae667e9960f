"""JSON held against a schema, and nothing outside of it."""

import pytest

from seatrial.checks.schemas import MOST, UnreadableError, fits, misfits, unreadable


def test_what_does_not_fit_is_told_with_its_place_and_keyword():
    schema = {"properties": {"a": {"items": {"enum": [1]}}}, "required": ["b"]}
    assert misfits(schema, {"a": [1], "b": 2}) == []
    found = misfits(schema, {"a": [1, 5]})
    assert {(m.where, m.keyword) for m in found} == {(".a[1]", "enum"), ("", "required")}


def test_only_so_many_are_told():
    assert len(misfits({"items": {"type": "null"}}, [1] * 100)) == MOST


@pytest.mark.parametrize(
    "schema",
    [5, {"type": "strnig"}, {"pattern": "("}, {"$ref": "#/$defs/no"}, {"$ref": "http://127.0.0.1:9/schema"}],
)
def test_a_schema_that_cannot_be_read_is_an_error_and_nothing_is_fetched(schema):
    with pytest.raises(UnreadableError) as told:
        misfits(schema, "x")
    assert "\n" not in str(told.value)
    assert not fits(schema, "x")
    assert unreadable(schema) == str(told.value)


def test_what_validates_fits():
    assert fits({"enum": ["x"]}, "x")
    assert unreadable({"enum": ["x"]}) == ""
    assert not fits({"enum": ["x"]}, "y")
    assert not fits({"type": "number"}, float("nan"))
