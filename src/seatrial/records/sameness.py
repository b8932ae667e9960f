"""Whether two endpoints that should be one model are one: by the odds of first tokens, and by what they answer."""

from __future__ import annotations

import enum

import msgspec


class OddsWord(enum.StrEnum):
    """What the odds of first tokens say of two endpoints that should be one model."""

    KEPT = "the same"
    """The odds are as near as a fine quantisation keeps them."""
    CHANGED = "changed"
    """Farther apart than that: another quantisation, cache or kernel."""
    DAMAGED = "damaged"
    """As far apart as no quantisation of use."""
    STRANGE = "of another tokenizer"
    """No token is told by both: they are no one model, and nothing follows."""
    OPEN = "open"
    """Too few prompts were answered by both, or the interval reaches over a limit."""


class OddsDrift(msgspec.Struct, frozen=True, kw_only=True):
    """The odds that two endpoints give the first token of the same prompts.

    Attributes:
        n: prompts that both told odds of.
        same: of them, those with the same likeliest token; ``same_low`` and ``same_high`` are Wilson's 95 % interval of
            the share.
        nats: the divergence of the candidate from the incumbent, at the least, on average, with the 95 % interval of
            the bootstrap over prompts.
        again: how often the prompt that is always the same was answered, by the incumbent and by the candidate.
        chance: the p value of the hypothesis that both are one model: how often one model would come to odds of that
            prompt so far apart; None where one side has none.
    """

    word: OddsWord
    n: int
    same: int = 0
    same_low: float = 0.0
    same_high: float = 1.0
    nats: float = 0.0
    nats_low: float = 0.0
    nats_high: float | None = None  # none is known
    again: tuple[int, int] = (0, 0)
    chance: float | None = None


class LosslessWord(enum.StrEnum):
    """Whether a candidate that should be the incumbent made faster says what that says."""

    LOSSY = "lossy"
    """It differs oftener than the incumbent does from itself, and not at near ties alone."""
    SAME = "no loss seen"
    """It does not, over so many questions."""
    OPEN = "not known"
    """Too few questions, or it differs oftener and no chances are told that would show near ties."""


class Parting(msgspec.Struct, frozen=True, kw_only=True):
    """Where an answer of the candidate leaves that of the incumbent.

    Attributes:
        ahead: how far the incumbent's token was ahead of its next likely one, as natural logarithms; None: not told.
        alike: characters that both say before.
        before: the last of them.
    """

    question: str
    ahead: float | None
    alike: int
    before: str
    incumbent: str
    candidate: str
    exchanges: tuple[str, str]


class Lossless(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that should be the incumbent made faster, held against how the incumbent repeats itself.

    Attributes:
        n: questions that both answered, the incumbent twice.
        differ: answers of the candidate that are not the incumbent's: at near ties, beyond them, and where no chances
            tell which.
        own: the same of the incumbent asked again.
        p: McNemar's exact, one-sided: that it differs no oftener beyond near ties than the incumbent from itself.
        loss: the share of answers that it gives otherwise beyond near ties, less that of the incumbent asked again.
        span: its 90 % interval, as the test is one-sided at 5 %: all of it above zero where the word is lossy, and
            nowhere else; None without an answer.
        visible: the smallest share of answers beyond near ties that so many questions tell, four times in five, beside
            what the incumbent answers otherwise by itself; 1.0: none.
        silent: questions that one of them did not answer.
        drafts: by endpoint, tokens drafted and taken, where it is told.
        cached: endpoints whose prompt cache no request can switch off, as far as is known.
    """

    word: LosslessWord
    why: str
    n: int
    ties: int
    beyond: int
    untold: int
    own_ties: int
    own_beyond: int
    own_untold: int
    p: float
    loss: float = 0.0
    span: tuple[float, float] | None = None
    visible: float
    tie: float
    silent: int = 0
    first: Parting | None = None
    drafts: dict[str, tuple[int, int]] = {}
    cached: tuple[str, ...] = ()

    @property
    def differ(self) -> int:
        return self.ties + self.beyond + self.untold

    @property
    def own(self) -> int:
        return self.own_ties + self.own_beyond + self.own_untold
