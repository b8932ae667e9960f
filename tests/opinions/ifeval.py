"""IFEval's own verifiers, from the package that carries them, held against an instruction of ours.

The package's front imports an engine of data sets that no verifier needs; so its folder is entered by the side.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import logging
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tests.opinions.opinion import Unheard

PACKAGE = "if_verifiable"
LANGUAGES = {"German": "de", "French": "fr", "Spanish": "es", "Russian": "ru", "Japanese": "ja", "Arabic": "ar"}


def is_here() -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def _verifiers() -> Any:
    if PACKAGE not in sys.modules:
        found = importlib.util.find_spec(PACKAGE)
        assert found is not None
        front = ModuleType(PACKAGE)
        front.__path__ = list(found.submodule_search_locations or ())
        sys.modules[PACKAGE] = front
    logging.getLogger().setLevel(logging.CRITICAL)  # of each text without a language it writes an error
    langdetect = importlib.import_module("langdetect")
    langdetect.DetectorFactory.seed = 0  # it draws, and would say another thing each time
    return importlib.import_module(f"{PACKAGE}.ifeval.instructions")


ASKED: dict[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "at-most": ("NumberOfWords", lambda n: {"num_words": n + 1, "relation": "less than"}),
    "at-least": ("NumberOfWords", lambda n: {"num_words": n, "relation": "at least"}),
    "keyword": ("KeywordChecker", lambda word: {"keywords": [word]}),
    "banned": ("ForbiddenWords", lambda word: {"forbidden_words": [word]}),
    "lower": ("LowercaseLettersEnglishChecker", lambda _: {}),
    "upper": ("CapitalLettersEnglishChecker", lambda _: {}),
    "commas": ("CommaChecker", lambda _: {}),
    "starts": ("ConstrainedStartChecker", lambda text: {"starter": text}),
    "ends": ("EndChecker", lambda text: {"end_phrase": text}),
    "bullets": ("BulletListChecker", lambda n: {"num_bullets": n}),
    "paragraphs": ("ParagraphChecker", lambda n: {"num_paragraphs": n}),
    "quoted": ("QuotationChecker", lambda _: {}),
}
"""Of each kind of instruction of ours the verifier of theirs, and what it is given."""


def kept(kind: str, drawn: Any, text: str) -> bool:
    """Whether IFEval holds the instruction for kept, as its strict reading does: an empty answer keeps none.

    Raises:
        Unheard: it falls over the text.
    """
    name, given = ASKED[kind]
    verifier = getattr(_verifiers(), name)(name)
    verifier.build_description(**given(drawn))
    try:
        return bool(text.strip()) and bool(verifier.check_following(text))
    except Exception as error:
        raise Unheard(f"{name}: {type(error).__name__}") from error


def spoken(language: str, text: str) -> bool:
    """Whether IFEval holds a text for one of that language; what it cannot tell it takes for it."""
    verifier = _verifiers().ResponseLanguageChecker("language")
    verifier.build_description(language=LANGUAGES[language])
    return bool(text.strip()) and bool(verifier.check_following(text))
