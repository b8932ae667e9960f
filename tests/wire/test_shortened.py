"""What is left of a key where pytest, Allure or a server shortens a text that holds it."""

from __future__ import annotations

import base64
import json
import time

import pytest
from _pytest._io.saferepr import saferepr
from allure_commons.utils import represent
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.wire.masking.mask import Mask

KEY = "sk-Th1sKeyMustNeverBeWritten.0815"


def left_of(text: str, key: str = KEY, least: int = 4) -> set[str]:
    """Parts of a key, of so many characters, that stand in a text, in any case."""
    low = text.lower()
    return {part for at in range(len(key) - least + 1) if (part := key[at : at + least]).lower() in low}


@pytest.mark.parametrize("size", range(20, 120, 7))
def test_nothing_is_left_where_pytest_shortens_a_value(size: int) -> None:
    for before in range(0, 60, 3):
        text = saferepr("." * before + KEY + "-" * 60, maxsize=size)
        assert left_of(Mask(KEY).shortened(text), least=5) == set(), text
        text = saferepr([("x" * before, KEY)], maxsize=size)
        assert left_of(Mask(KEY).shortened(text), least=5) == set(), text


@pytest.mark.parametrize("before", [0, 60])
@pytest.mark.parametrize("kept", [0, 4, 14, 24, 30, 32])
def test_nothing_is_left_in_a_diff_that_leaves_out_what_is_alike(kept: int, before: int) -> None:
    """Both sides hold the key: what they have in common is left out up to ten characters, in its midst too."""
    other = KEY[:kept] + "#" + KEY[kept + 1 :]
    left, right = ("a" * before + each + "b" * 70 for each in (KEY, other[: len(KEY)]))
    with pytest.raises(AssertionError) as caught:
        assert left == right
    told = "\n".join(f"E   {line}" for line in str(caught.value).splitlines())
    for text in (told, json.dumps(told)):
        assert left_of(Mask(KEY, other[: len(KEY)]).shortened(text), least=5) == set()


@pytest.mark.parametrize(
    "text",
    [
        "the key ...0815 is wrong",
        "the key sk-... is wrong",
        "AssertionError: assert 'sk-Th1sKeyMus...",
        f'{{"trace": "E   - Written.0815\\nE   + x", "value": "{KEY[:9]}…"}}',
        f"{base64.b64encode(KEY.encode()).decode()[:20]}...",
        f"...{KEY.encode().hex()[-12:]}",
        "SK-TH1SKEY...",
        f"in the midst: {KEY[4:26]} stands half of it",
        "'sk-Th1s'...",
        "E   - itten.0815",
        "'h1sKeyMustNe...",
        "...MustNeverBe",
    ],
)
def test_what_stands_beside_dots_is_blotted_out(text: str) -> None:
    masked = Mask(KEY).shortened(text)
    assert len(masked) == len(text)
    for encoded in (KEY, base64.b64encode(KEY.encode()).decode(), KEY.encode().hex()):
        assert left_of(masked, encoded, least=5) == set()
    assert masked != text


def test_a_key_with_quotes_is_found_as_it_is_printed() -> None:
    key = "a'b\"c\\d/e<f>g'h\"i\\j"
    for printed in (repr(key), json.dumps(key), json.dumps(json.dumps(key))):
        cut = printed[: len(printed) // 2] + "..."
        assert left_of(Mask(key).shortened(cut), repr(key)[1:-1], 5) == set()


@pytest.mark.parametrize(
    "text",
    [
        "waits... and then the server writes 0815 words",
        "E   - never\nE   + ever",
        "see https://example.org/a...b for sketches",
        f"{KEY[:7]} and {KEY[-7:]}",
    ],
)
def test_words_that_are_no_part_of_it_are_left_alone(text: str) -> None:
    assert Mask(KEY, "https://chat.example.com/origin").shortened(text) == text


def test_a_character_is_never_cut_in_half() -> None:
    assert Mask("schlüssel-über-alles-ä").shortened("schlüssel-ü...schlüssel-übè é-alles-å...lles-ä").isprintable()
    assert Mask("abcdefg\u00e9").shortened("abcdefg\u00e8") == "*" * 9  # their last characters share a byte


def test_allure_and_no_key() -> None:
    assert KEY[:6] not in Mask(KEY).shortened(represent({"k": KEY}))
    assert Mask().shortened("sk-...") == "sk-..."


@given(st.text(min_size=4, max_size=40), st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=30)
def test_any_text_keeps_its_length_in_bytes(key: str, before: str, after: str) -> None:
    if all(not 0xD800 <= ord(c) < 0xE000 for c in key):
        text = f"{before}...{key[2:]}{after}{key[:-2]}..."
        masked = Mask(key).shortened(text)
        assert len(masked.encode("utf-8", "surrogatepass")) == len(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("unit", ["...", "...'", "sk-..", "\n+ sk-T", "E - x\n", KEY[:8], KEY[:-1]], ids=repr)
def test_hostile_text_costs_no_more_than_its_length(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    begin = time.process_time()
    Mask(KEY).shortened(text)
    assert time.process_time() - begin < 3
