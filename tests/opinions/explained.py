"""Why ours and another verifier part, each reason as narrow as it can be told."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.opinions.opinion import Explained, Opinions
from tests.simulated.mouths import SPOKEN

LETTERS = 20
"""Of fewer letters no language is told by ours."""

UNCHECKED = ("time", "date-time", "uri")
"""Formats that the Python validator checks with further packages alone."""


def _text(each: Opinions) -> str:
    return str(each.output.value)


def _letters(text: str) -> int:
    return len(re.findall(r"[^\W\d_]", text))


def _uncased(each: Opinions) -> bool:
    return each.ours and not each.other and not any(c.islower() or c.isupper() for c in _text(each))


def _no_english(each: Opinions) -> bool:
    """In letters of the right case, and of a language that the other does not take for English."""
    text = _text(each)
    return each.ours and not each.other and (text.islower() if each.output.kind == "lower" else text.isupper())


def _wording(each: Opinions) -> bool:
    """The numbers of words differ by how ``it's`` and ``half-done`` are counted."""
    parts, whole = re.findall(r"\w+", _text(each)), re.findall(r"\w+(?:['’-]\w+)*", _text(each))
    few, many = sorted((len(whole), len(parts)))
    return few != many and each.ours != each.other and few <= each.output.truth <= many


def _within_a_word(each: Opinions) -> bool:
    word, text = re.escape(each.output.truth), _text(each)
    inside = re.search(word, text, re.IGNORECASE) and not re.search(rf"\b{word}\b", text, re.IGNORECASE)
    return bool(not each.ours and each.other and inside)


def _further_down(each: Opinions) -> bool:
    """The opening stands at a line that is not the first, or its dot is another character."""
    text = _text(each).lstrip()
    return not each.ours and each.other and not text.startswith(each.output.truth)


def _ending(each: Opinions) -> bool:
    text = _text(each).rstrip()
    loose = text.strip('"').lower().endswith(each.output.truth.lower())
    return not each.ours and each.other and loose and not text.endswith(each.output.truth)


def _ruled(each: Opinions) -> bool:
    """A mark without a word behind it, or a line of hyphens."""
    return any(re.fullmatch(r"\s*([*-]\s*|-{2,}.*|\*\s.?)", line) for line in _text(each).splitlines())


def _starred(each: Opinions) -> bool:
    """Three asterisks that are no line of their own, or more of them than parts."""
    lines = _text(each).split("\n")
    alone = [line for line in lines if re.fullmatch(r"\s*\*\*\*\s*", line)]
    return "***" in _text(each) and (any("***" in line and line not in alone for line in lines) or len(alone) > 1)


def _edged(each: Opinions) -> bool:
    """The line of asterisks is the first or the last: what is before or after it is empty."""
    text = _text(each).strip()
    return text.startswith("***") or text.endswith("***")


def _mixed(each: Opinions) -> bool:
    return sum(text in _text(each) for text in SPOKEN.values()) > 1


def _dotted(each: Opinions) -> bool:
    """Equal once blanks and stops are left out, as the leaderboard does, and not before."""
    of = (each.output.truth["calls"], each.output.value)
    wanted, made = (_bare(calls, r"[ ,./\-_*^']") for calls in of)
    ours, theirs = (_bare(calls, r"(?<=\") +| +(?=\")") for calls in of)
    return not each.ours and each.other and wanted == made and ours != theirs


def _bare(calls: Any, left_out: str) -> list[str]:
    """Calls as text in lower case, without what a pattern means, in no order."""
    texts = (json.dumps([name, arguments], sort_keys=True, ensure_ascii=False) for name, arguments in calls)
    return sorted(re.sub(left_out, "", text).lower() for text in texts)


def _listed(each: Opinions) -> bool:
    wanted = [dict(arguments) for _, arguments in each.output.truth["calls"]]
    made = [arguments for _, arguments in each.output.value]
    return each.ours and any(
        isinstance(mine.get("guests"), list) and mine["guests"] != its.get("guests")
        for mine, its in zip(wanted, made, strict=True)
    )


def _inner(each: Opinions) -> bool:
    return each.ours and any(len(arguments.get("place", ())) > 2 for _, arguments in each.output.value)


def _whole(each: Opinions) -> bool:
    values = [value for _, arguments in each.output.value for value in arguments.values()]
    return each.ours and any(isinstance(value, float) and value.is_integer() for value in values)


def _hyphened(each: Opinions) -> bool:
    told = each.output.truth.get("told", "")
    return not each.ours and bool(re.search(rf"[\w.]{re.escape(told)}(?!\d)", each.output.said.replace("\u2212", "-")))


def _wordless(each: Opinions) -> bool:
    return not each.ours and not each.output.value and not each.output.said.strip()


def _has(schema: Any, word: str) -> bool:
    return f'"{word}"' in json.dumps(schema)


def _pattern(each: Opinions) -> bool:
    value = each.output.value
    return _has(each.output.truth, "pattern") and isinstance(value, str) and (value == "٣" or value.endswith("\n"))


def _format(each: Opinions) -> bool:
    formats = set(re.findall(r'"format": "([a-z-]+)"', json.dumps(each.output.truth)))
    return bool(formats & set(UNCHECKED))


def _fraction(each: Opinions) -> bool:
    return _has(each.output.truth, "multipleOf") and isinstance(each.output.value, float)


INSTRUCTIONS, LANGUAGE, CALLS, SCHEMAS = "instructions", "language", "calls", "schemas"
EXPLAINED: tuple[Explained, ...] = (
    Explained(INSTRUCTIONS, "lower", "no letter has a case (a number, another script): nothing is in capitals, and "
              "Python's islower, which IFEval asks, wants at least one letter in lower case", _uncased),
    Explained(INSTRUCTIONS, "lower", "the case is right, and IFEval asks for English too, by a guess of langdetect's "
              "that a text of a few words throws off; our prompt asks for no language", _no_english),
    Explained(INSTRUCTIONS, "upper", "as with lower case: IFEval asks for English too", _no_english),
    Explained(INSTRUCTIONS, "at-most", "`it's` and `half-done` are two words each to IFEval, one to us and to a reader",
              _wording),
    Explained(INSTRUCTIONS, "at-least", "as with at most so many words", _wording),
    Explained(INSTRUCTIONS, "keyword", "IFEval finds a keyword within another word (`harbours`); we want the word",
              _within_a_word),
    Explained(INSTRUCTIONS, "starts", "IFEval's check, which its benchmark does not use, takes any line for the start, "
              "and a dot for any character", _further_down),
    Explained(INSTRUCTIONS, "ends", "IFEval puts case and closing quotation marks aside; who parses an answer does not",
              _ending),
    Explained(INSTRUCTIONS, "bullets", "a mark without a word behind it, or a line of hyphens, is a bullet to IFEval",
              _ruled),
    Explained(INSTRUCTIONS, "paragraphs", "three asterisks within a line part paragraphs for IFEval; our prompt asks "
              "for a line of them alone", _starred),
    Explained(INSTRUCTIONS, "paragraphs", "the asterisks stand first or last", _edged),
    Explained(LANGUAGE, "", "of fewer than twenty letters no language is told by us; IFEval counts what langdetect "
              "cannot tell as kept", lambda each: not each.ours and each.other and _letters(_text(each)) < LETTERS),
    Explained(LANGUAGE, "", "half of the text is in another language: each takes the half that it weighs more", _mixed),
    Explained(CALLS, "irrelevant", "no call is right to both; we want a word beside, for a user who reads nothing is "
              "not answered", _wordless),
    Explained(CALLS, "result", "a hyphen between two numbers is no sign to us (`1-8 degrees`)", _hyphened),
    Explained(CALLS, "", "the leaderboard leaves blanks and stops out of a text (`Oslo.`, `BlueRoom`); a program that "
              "gets it does not", _dotted),
    Explained(CALLS, "nested", "guests in another order are the same guests to us; the leaderboard compares lists in "
              "their order", _listed),
    Explained(CALLS, "nested", "a key more, which the schema of that object does not forbid: we follow the schema",
              _inner),
    Explained(CALLS, "", "`41.0` is an integer to JSON Schema, and a float to the leaderboard's Python", _whole),
    Explained(SCHEMAS, "", "the specification's patterns are ECMA 262, as in ours: `\\d` is ASCII there, and `$` does "
              "not stand before a last line break", _pattern),
    Explained(SCHEMAS, "", "`time`, `date-time` and `uri` are checked by ours; by the other only with more packages",
              _format),
    Explained(SCHEMAS, "", "0.3 is a multiple of 0.1: ours reckons in decimals, the other with a remainder of floats",
              _fraction),
)  # fmt: skip
