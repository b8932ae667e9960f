"""How a text is spelt: the forms that it takes where somebody rewrites it on its way."""

from __future__ import annotations

import contextlib
import html
import unicodedata
from collections.abc import Iterator
from typing import Any

from seatrial.reading.bound import decoded

LOSS = ("\N{REPLACEMENT CHARACTER}", "?")
"""What stands where a character was lost."""


def may_be_rewritten(text: str) -> bool:
    """Whether a text has marks of one that was rewritten: entities, decomposed letters, lost ones, another coding."""
    if unicodedata.normalize("NFC", html.unescape(text)) != text or any(sign in text for sign in LOSS):
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
    }
    return {how: form for how, form in forms.items() if form != text and any(map(str.isalnum, form))}


def is_escaped_json(text: str) -> bool:
    """Whether a text begins as JSON whose quotes are entities of HTML; it need not be whole."""
    return text.lstrip()[:1] in ("{", "[") and '"' not in text and '"' in html.unescape(text)


def strings(text: str) -> str:
    """All that a text holds: of JSON its keys and its texts, a line each; of any other the text itself."""
    value, wrong = decoded(text)
    return text if wrong else "\n".join(_strings(value))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _strings(each)
