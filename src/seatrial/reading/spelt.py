"""How a text is spelt: the forms that it takes where somebody rewrites it on its way."""

from __future__ import annotations

import contextlib
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from seatrial.reading import fields
from seatrial.reading.bound import decoded
from seatrial.records import Exchange

WORD = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*")
"""A word with a letter beyond ASCII."""

MARKED = re.compile(r"[<>&\"']")
"""What is spelt otherwise in HTML."""

FAR = re.compile("[\U00010000-\U0010ffff]")
"""A character beyond the first plane, as most emoji are: of four bytes, or of two halves."""

LOSS = ("\N{REPLACEMENT CHARACTER}", "?")
"""What stands where a character was lost."""

_NO_CHARACTER = re.compile(r"&#[0-9]{20,};?")
"""An entity of a number longer than any character's; Python reads none of thousands of digits."""


def may_be_rewritten(text: str) -> bool:
    """Whether a text has marks of one that was rewritten: entities, decomposed letters, lost ones, another coding."""
    if unicodedata.normalize("NFC", _unescaped(text)) != text or any(sign in text for sign in LOSS):
        return True
    for coding in ("latin-1", "cp1252"):
        with contextlib.suppress(UnicodeError):
            if text.encode(coding).decode("utf-8") != text:
                return True
    return False


def others(text: str) -> dict[str, str]:
    """A text as it comes where it was rewritten, by what did it; without what leaves it as it is."""
    in_bytes = text.encode("utf-8", "replace")
    forms = {
        "decomposed (NFD)": unicodedata.normalize("NFD", text),
        "composed (NFC)": unicodedata.normalize("NFC", text),
        "escaped for HTML": html.escape(text),
        "escaped for HTML, but for quotes": html.escape(text, quote=False),
        "its bytes read as Latin-1": in_bytes.decode("latin-1"),
        "its bytes read as Windows-1252": in_bytes.decode("cp1252", "replace"),
        "question marks": text.encode("ascii", "replace").decode(),
        "U+FFFD": text.encode("ascii", "replace").decode().replace("?", "\N{REPLACEMENT CHARACTER}"),
        "numbers of HTML": text.encode("ascii", "xmlcharrefreplace").decode(),
        **{f"characters beyond the first plane as {sign}": FAR.sub(sign, text) for sign in (*LOSS, "??")},
    }
    return {how: form for how, form in forms.items() if form != text and any(map(str.isalnum, form))}


def stripped(text: str) -> str:
    """A text as it comes where characters beyond the first plane were taken out; empty: it has none, or no more."""
    bare = " ".join(FAR.sub("", text).split())
    return bare if FAR.search(text) and any(map(str.isalnum, bare)) else ""


def wanted(x: Exchange) -> Iterator[str]:
    """What a request spells in letters beyond ASCII, or with marks that HTML escapes: names and values of a schema,
    words of messages."""
    asked = fields.mapping(x.request_json)
    bound = [asked.get(name) for name in ("response_format", "tools")]
    for text in strings(json.dumps(bound)).splitlines():
        if not text.isascii() or MARKED.search(text):
            yield text
    yield from WORD.findall(strings(json.dumps(asked.get("messages"))))


def rewritten(words: Iterable[str], held: str) -> Iterator[tuple[str, str]]:
    """(how, what was written) of what an answer has in another spelling, and in no place in its own; of what lost
    characters it has to be all that a key or a value holds."""
    lines = {" ".join(line.split()) for line in held.splitlines()}
    for word in words:
        if word in held:
            continue
        yield from ((how, word) for how, form in others(word).items() if form in held)
        if stripped(word) in lines - {""}:
            yield "characters beyond the first plane taken out", word


def is_escaped_json(text: str) -> bool:
    """Whether a text begins as JSON whose quotes are entities of HTML; it need not be whole."""
    return text.lstrip()[:1] in ("{", "[") and '"' not in text and '"' in _unescaped(text)


def _unescaped(text: str) -> str:
    return html.unescape(_NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text))


def strings(text: str) -> str:
    """All that a text holds: of JSON its keys and its texts, a line each; of any other the text itself."""
    value, wrong = decoded(text)
    return text if wrong else "\n".join(_strings(value))


def _strings(value: Any) -> Iterator[str]:
    """In order, by a list of what is still to be read: a decoder may nest deeper than a function may call itself."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, list):
            left += reversed(each)
        elif isinstance(each, dict):
            left += (part for pair in reversed(each.items()) for part in reversed(pair))
