"""Reading JSON that may be none: what it is instead, and whether a cut one had begun well."""

import json

import pytest

from seatrial.reading import bound

WHOLE = json.dumps({"a": [1, -2.5e-3, True, None], "b": {"ü": 'x"\\\u2028'}}, ensure_ascii=True)


@pytest.mark.parametrize("text", [WHOLE, f"\n {WHOLE}\t", "[]", "5", '"a"', "null"])
def test_json_is_decoded_with_white_space_around(text):
    assert bound.decoded(text) == (json.loads(text), "")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "no text"),
        (" \n", "white space alone"),
        ('```json\n{"a": 1}\n```', "JSON in a fence of Markdown"),
        ("```\nhello", "a fence of Markdown"),
        ('Sure: {"a": 1}', "words before the JSON"),
        ('{"a": 1} That is all.', "more after the JSON"),
        ('{"a": 1}{"a": 1}', "more after the JSON"),
        ("Hello.", "Expecting value"),
        ('{"a": ', "Expecting value"),
        ('{"a": NaN}', "NaN is no JSON"),
        ("[" * 100_000, ""),
    ],
)
def test_what_is_no_json_is_told(text, wrong):
    value, said = bound.decoded(text)
    assert value is None
    assert said
    assert said.startswith(wrong)


@pytest.mark.parametrize("at", range(len(WHOLE) + 1))
def test_json_cut_anywhere_had_begun_well(at):
    assert bound.is_begun(WHOLE[:at], kind="object")


@pytest.mark.parametrize("text", ["1", "-", "1.", "1.5e", "1e-", "tr", '"a\\', '"a\\u00', "[1,", '[{"a"', "  "])
def test_other_json_that_is_cut_had_begun_well(text):
    assert bound.is_begun(text)


@pytest.mark.parametrize(
    "text",
    ["Sure", "```json\n{", "1, 2, 3", "trust", '{"a": Hello', "{a", '{"a": 1} and', "[1, 2} ", '{"a" "b', "nul "],
)
def test_what_never_becomes_json_had_not(text):
    assert not bound.is_begun(text)


@pytest.mark.parametrize(("text", "kind"), [("12", "object"), ("[1", "object"), ('{"a', "array"), ("tr", "string")])
def test_nor_had_json_of_another_type(text, kind):
    assert bound.is_begun(text)
    assert not bound.is_begun(text, kind=kind)
    assert bound.is_begun("", kind=kind)
