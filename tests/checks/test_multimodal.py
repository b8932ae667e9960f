"""The rule on images beside text."""

from seatrial.checks.catalogue import load_all
from seatrial.records import Outcome
from seatrial.verdict.outcomes import outcome
from tests.checks.specimens import breaks, choice, found, holds, plain, refused

RULE = "multimodal/image-is-seen-or-refused"


def read(prompt, **changes):
    return plain({"usage": {"prompt_tokens": prompt, "completion_tokens": 1, "total_tokens": prompt + 1}, **changes})


def word(evidence):
    return outcome(load_all()[RULE].level, found(RULE, evidence))


def test_image_is_seen_or_refused():
    text = {"without": read(12)}
    holds(
        RULE, [text | {"image": each} for each in (read(13), read(18), read(90), refused(), refused(422), refused(501))]
    )
    finding = breaks(RULE, text | {"image": read(12)}, "image: usage.prompt_tokens", "12")
    assert (finding.about, finding.causes) == ("image", ("chat/text-parts-are-the-joined-text[*]",))
    breaks(RULE, text | {"image": refused(500)}, "image: the status", "500")
    assert word(text | {"image": read(12)}) is Outcome.FAIL
    assert word(text | {"image": refused(500)}) is Outcome.ADVISORY


def says(prompt, text):
    return read(prompt, choices=[choice(text)])


def test_an_image_that_is_seen_and_not_counted():
    text = {"without": says(12, "I see nothing.")}
    holds(RULE, [text | {"image": says(12, "It is Red.")}])
    breaks(RULE, text | {"image": says(12, "I see nothing.")}, "image: usage.prompt_tokens", "the same words")
    for said in ("It is a cat.", "", "Bored, tired."):
        assert word(text | {"image": says(12, said)}) is Outcome.INCONCLUSIVE
    assert word({"without": says(12, "Red."), "image": says(12, "Red!")}) is Outcome.INCONCLUSIVE


def test_an_image_beside_what_is_not_answered_shows_nothing():
    for evidence in (
        {"without": refused(), "image": read(12)},
        {"without": read(12)},
        {"without": read(12), "image": read(12, usage=None)},
        {"without": read(12, usage=None), "image": read(12)},
    ):
        assert word(evidence) is Outcome.INCONCLUSIVE
