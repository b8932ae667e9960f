"""Faults of whoever rewrites texts between the model and the client."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.golden.answers import Answer, tokens
from tests.golden.edits import Json
from tests.golden.faults.optional import with_tools
from tests.golden.faults.tools.calls import with_calls
from tests.golden.registry import Shot, chat, fault

WRITTEN = "context/text-comes-as-it-was-written"
SAID = ("content", "arguments")
BOTH = ("whole", "chunk")


def _rewritten(value: Any, change: Callable[[str], str]) -> Any:
    """A body with what an answer says changed, in the content and in the arguments of calls."""
    if isinstance(value, list):
        return [_rewritten(each, change) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: change(each) if key in SAID and isinstance(each, str) else _rewritten(each, change)
        for key, each in value.items()
    }


def _or_same(body: Json, change: Callable[[str], str]) -> Json:
    changed: Json = _rewritten(body, change)
    return body if changed == body else changed


@fault("answer-escaped-for-html", caught_by=WRITTEN, stage=BOTH, when=chat)
def answer_escaped_for_html(body: Json, shot: Shot) -> Json:
    """What is said is escaped for a page of HTML (discourse-ai pull request 889 takes care of tags)."""
    return _or_same(body, html.escape)


@fault("answer-escaped-but-for-quotes", caught_by=WRITTEN, stage=BOTH, when=chat)
def answer_escaped_but_for_quotes(body: Json, shot: Shot) -> Json:
    """What is said is made harmless for a page, but for its quotes: JSON still decodes, to other texts."""
    return _or_same(body, lambda text: html.escape(text, quote=False))


@fault("answer-read-as-latin-1", caught_by=WRITTEN, stage=BOTH, when=chat)
def answer_read_as_latin_1(body: Json, shot: Shot) -> Json:
    """The engine's UTF-8 is read as Latin-1 by what stands before it."""
    return _or_same(body, lambda text: text.encode("utf-8", "replace").decode("latin-1"))


@fault("answer-decomposed", caught_by=WRITTEN, stage=BOTH, when=chat)
def answer_decomposed(body: Json, shot: Shot) -> Json:
    """What is said comes in decomposed characters, as a tokenizer normalises (llama.cpp pull request 7122)."""
    return _or_same(body, lambda text: unicodedata.normalize("NFD", text))


FAR = re.compile("[\U00010000-\U0010ffff]")


@fault("far-planes-taken-out", caught_by=WRITTEN, stage=BOTH, when=chat)
def far_planes_taken_out(body: Json, shot: Shot) -> Json:
    """What is said is kept in three bytes a character, and emoji are taken out (AssemblyZero issue 527 does so)."""
    return _or_same(body, lambda text: FAR.sub("", text))


@fault("far-planes-taken-out-of-arguments", caught_by=WRITTEN, stage="draft", when=with_tools)
def far_planes_taken_out_of_arguments(answer: Answer, shot: Shot) -> Answer:
    """The parser of calls knows characters of two bytes alone, and passes over the others."""
    spoilt = with_calls(answer, lambda n, c: replace(c, arguments=tokens(FAR.sub("", "".join(c.arguments)))))
    return answer if spoilt == answer else spoilt


@fault("far-planes-as-question-marks", caught_by=WRITTEN, stage=BOTH, when=chat)
def far_planes_as_question_marks(body: Json, shot: Shot) -> Json:
    """Each half of a pair of surrogates becomes a question mark."""
    return _or_same(body, lambda text: FAR.sub("??", text))
