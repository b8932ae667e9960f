"""B8: is an answer in the language that was asked for?

Six languages are asked in themselves, and one in English with the wish for another (*switch*). A script of its own
tells Russian, Japanese and Arabic; German, French and Spanish are told by their commonest words against English ones.
"""

from __future__ import annotations

import re
from random import Random

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem, user
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probes.talk.stops import unsaid
from seatrial.behaviour.probing import probe
from seatrial.records import Exchange, Level
from seatrial.statistics.sequential import SequentialTest

STOPWORDS = {
    "English": "the a of and to in is it that for with on as are was this be from at by an or",
    "German": "der die das und ist ein eine in den dem nicht mit von zu auf es sich für im auch wird sind des",
    "French": "le la les et est un une des de du dans que pour en il elle qui sur avec au ce se ne pas",
    "Spanish": "el la los las y es un una de del en que por con para se su lo al no como más",
}
"""The commonest words of a language, in any order."""

SCRIPTS = {
    "Russian": re.compile(r"[\u0400-\u04ff]"),
    "Japanese": re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]"),
    "Arabic": re.compile(r"[\u0600-\u06ff]"),
}
"""The letters of a script that no other of the languages here uses."""

KANA = re.compile(r"[\u3040-\u30ff]")
LETTER = re.compile(r"[^\W\d_]")
ASKED = {
    "German": (
        "Erkläre in zwei Sätzen einem Kind von {} Jahren, was {} ist.",
        ("ein Leuchtturm", "ein Fernrohr", "eine Brücke", "ein Kompass"),
    ),
    "French": (
        "Explique en deux phrases à un enfant de {} ans ce qu'est {}.",
        ("un phare", "un télescope", "un pont", "une boussole"),
    ),
    "Spanish": (
        "Explica en dos frases a un niño de {} años qué es {}.",
        ("un faro", "un telescopio", "un puente", "una brújula"),
    ),
    "Russian": (
        "Объясни в двух предложениях ребёнку {} лет, что такое {}.",
        ("маяк", "телескоп", "мост", "компас"),
    ),
    "Japanese": (
        "{}歳の子どもに、{}とは何かを二つの文で説明してください。",
        ("灯台", "望遠鏡", "橋", "羅針盤"),
    ),
    "Arabic": (
        "اشرح في جملتين لطفل عمره {} سنوات ما هو {}.",
        ("المنارة", "التلسكوب", "الجسر", "البوصلة"),
    ),
}
THINGS = ("a lighthouse", "a telescope", "a bridge", "a compass", "a windmill", "a harbour")
LATIN_SHARE, SCRIPT_SHARE, FEWEST = 0.12, 0.5, 20


def _make(family: str, draw: Random) -> ProbeItem:
    age = draw.randrange(5, 60)
    if family == "switch":
        wanted = draw.choice(tuple(ASKED))
        text = f"Explain in two sentences to somebody of {age} years what {draw.choice(THINGS)} is. Answer in {wanted}."
        return ProbeItem(family, user(text, max_tokens=200), wanted)
    frame, things = ASKED[family]
    return ProbeItem(family, user(frame.format(age, draw.choice(things)), max_tokens=200), family)


LANGUAGES = Maker("language", turn=60, families=(*ASKED, "switch"), make=_make, tokens=70)


@probe(
    row="B8",
    area="language",
    what="another language",
    maker=LANGUAGES,
    test=SequentialTest(0.05, 0.20, 63),
    level=Level.SHOULD,
    source="our own questions; scripts of Unicode, commonest words of each language",
    so="a reader who asked in one language is answered in another",
    causes=unsaid,
)
def answers_are_in_the_language_that_is_asked_for(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """An answer is in the language of its question, or in the one that it asks for."""
    spoken = language(answer.content)
    if spoken == item.truth:
        return good(spoken)
    return bad(f"{spoken or 'no language that is known'} in place of {item.truth}", spoken)


def language(text: str) -> str:
    """The language that a text is in; empty where it is none of those that are asked for, nor English."""
    letters = len(LETTER.findall(text))
    if letters < FEWEST:
        return ""
    for name, script in SCRIPTS.items():
        if len(script.findall(text)) / letters > SCRIPT_SHARE and (name != "Japanese" or KANA.search(text)):
            return name
    words = re.findall(r"[^\W\d_]+", text.lower())
    shares = {name: sum(word in common.split() for word in words) / len(words) for name, common in STOPWORDS.items()}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= LATIN_SHARE else ""
