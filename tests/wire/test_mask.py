"""The key in every spelling a server may hand it back in."""

from __future__ import annotations

import base64
import json
import re
import time
import urllib.parse

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seatrial.wire.masking.mask import SHORTEST, Mask, Unseen

KEY = 'sk-Ab/C+d"12\\3é~'


def spellings(key: str) -> dict[str, bytes]:
    return {
        "plain": key.encode(),
        "json": json.dumps(key)[1:-1].encode(),
        "json, not ASCII": json.dumps(key, ensure_ascii=False)[1:-1].encode(),
        "json in json": json.dumps(json.dumps(key))[3:-3].encode(),
        "json, all escaped": re.sub(rb"(....)", rb"\\u\1", key.encode("utf-16-be").hex().upper().encode()),
        "json, slashes escaped": json.dumps(key)[1:-1].replace("/", "\\/").encode(),
        "url": urllib.parse.quote(key, safe="").encode(),
        "url twice": urllib.parse.quote(urllib.parse.quote(key, safe=""), safe="").encode(),
    }


@pytest.mark.parametrize("name", spellings(KEY))
def test_a_spelling_is_masked_by_as_many_stars(name: str) -> None:
    spelled = spellings(KEY)[name]
    assert Mask(KEY).bytes(b"a=" + spelled + b";") == b"a=" + b"*" * len(spelled) + b";"


@pytest.mark.parametrize("before", [b"", b"u", b"u:", b"use"], ids=len)
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_masked_at_each_alignment(before: bytes, encode: object) -> None:
    assert callable(encode)
    text: bytes = encode(before + KEY.encode() + b"tail of it")
    masked = Mask(KEY).bytes(text)
    assert len(masked) == len(text)
    assert masked.count(b"*") >= len(KEY.encode()) * 8 // 6 - 1
    plain = base64.b64decode(masked.replace(b"*", b"A"), altchars=b"-_" if b"-" in text or b"_" in text else None)
    kept = [a == b for a, b in zip(plain[len(before) :], KEY.encode(), strict=False)]
    assert sum(kept) <= 1, "of the key's bytes none but a part of the outermost is left"


def test_base64_in_json_and_urls() -> None:
    text = base64.b64encode(b"ab?~?>ab?")
    assert text == b"YWI/fj8+YWI/"
    for spelled in (text.replace(b"/", b"\\/"), urllib.parse.quote(text, safe="").encode(), b"YWI_fj8-YWI_"):
        assert Mask("ab?~?>ab?").bytes(spelled) == b"*" * len(spelled)


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    assert Mask("secret", "secret-and-more").text("a secret-and-more b secret") == "a *************** b ******"


def test_text_is_masked_as_bytes_are() -> None:
    assert Mask(KEY).text(f"日{KEY}本") == "日" + "*" * len(KEY.encode()) + "本"
    assert Mask("abcd").text("\ud800abcd") == "\ud800****"


@pytest.mark.parametrize("key", [None, "", "x" * (SHORTEST - 1)])
def test_no_key_or_one_too_short_to_be_told_from_text(key: str | None) -> None:
    mask = Mask(key)
    assert not mask
    assert mask.bytes(b"xxxxxxxx") == b"xxxxxxxx"
    assert mask.text("xxxxxxxx") == "xxxxxxxx"


def test_other_text_is_left_alone() -> None:
    text = (KEY[:-2] + " " + KEY[1:] + base64.b64encode(KEY[:-3].encode()).decode()) * 3
    assert Mask(KEY).text(text) == text


def test_a_key_without_its_last_character_is_looked_for_too() -> None:
    assert Mask(KEY).text(f"no such key: {KEY[:-1]}") == "no such key: " + "*" * len(KEY[:-1].encode())
    assert Mask(None).also([KEY]).also(["another"]).text(KEY[:-2]) == KEY[:-2]
    assert Mask("eight-ch").text("eight-c") == "eight-c"  # too short: it may be a word


PRINTABLE = st.characters(min_codepoint=33, exclude_categories=["C", "Z"])


@given(st.text(PRINTABLE, min_size=4, max_size=40), st.binary(max_size=9), st.binary(max_size=9), st.booleans())
@example('\\"/\\', b"\\", b"\\", True)
@settings(max_examples=100)
def test_no_key_survives(key: str, before: bytes, after: bytes, url: bool) -> None:
    mask = Mask(key)
    for spelled in spellings(key).values():
        masked = mask.bytes(before + spelled + after)
        assert len(masked) == len(before + spelled + after)
        assert spelled not in masked or set(spelled) == {ord("*")}
    encoded = (base64.urlsafe_b64encode if url else base64.b64encode)(before + key.encode() + after)
    assert mask.bytes(encoded) != encoded


@pytest.mark.parametrize("unit", [b"\\", b"%25", b"s", b"sk-", b'"'], ids=repr)
def test_hostile_text_costs_no_more_than_its_length(unit: bytes) -> None:
    mask = Mask(KEY)
    text = unit * (1_000_000 // len(unit))
    begin = time.process_time()
    assert mask.bytes(text) == text
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("alone", [KEY.encode(), KEY.encode("latin-1"), KEY.encode().upper(), KEY[::-1].encode()])
def test_a_text_that_is_a_secret_and_no_more_is_masked(alone: bytes) -> None:
    assert Mask(KEY).bytes(alone) == b"*" * len(alone)


def test_bytes_that_nobody_saw_are_masked_for_the_first_who_looks() -> None:
    held = Unseen(b"key: " + KEY.encode(), Mask(KEY))
    assert len(held) == len(b"key: " + KEY.encode())
    assert KEY not in repr(held)
    assert held.masked() == held.masked() == b"key: " + b"*" * len(KEY.encode())


def test_a_part_of_a_long_secret_that_is_spelled_with_an_escape_is_masked_in_a_short_text() -> None:
    long = "sk-Ab/" + "Cd1" * 40
    text = long[:80].replace("/", "\\/").encode()
    assert len(text) < len(long)
    assert Mask(long).bytes(text) == b"*" * len(text)
