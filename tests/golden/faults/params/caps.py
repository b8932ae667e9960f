"""Faults of parameters: ignored, half honoured, or fatal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.golden import edits
from tests.golden.answers import Answer
from tests.golden.edits import CAPS, Json, each_choice, failure, misfits, says, without
from tests.golden.items import Act, Piece, Reply
from tests.golden.registry import Call, Shot, chat, fault

MAX_TOKENS = "params/max-tokens-caps"
MAX_COMPLETION_TOKENS = "params/max-completion-tokens-caps"
NO_CAP = "params/answer-without-a-cap-is-not-cut"
BAD_CAPS = "params/bad-caps-are-refused"
STATUS = "errors/client-fault-is-never-5xx"
NEXT = "errors/next-request-is-answered"
CAP = "chat/completion-tokens-keep-the-cap"
STOP = "params/stop-string-ends-the-answer"
N = "params/n-gives-n-choices"
LOGPROBS = "params/logprobs-are-given"
TOP = "params/as-many-alternatives-as-asked"
TYPES = "params/wrong-types-are-refused"
FEW = 5


@fault("max-tokens-ignored", caught_by=MAX_TOKENS, stage="body", when=says("max_tokens"))
def max_tokens_ignored(body: Json, shot: Shot) -> Json:
    """max_tokens is ignored."""
    return without(body, "max_tokens")


@fault(
    "max-completion-tokens-ignored", caught_by=MAX_COMPLETION_TOKENS, stage="body", when=says("max_completion_tokens")
)
def max_completion_tokens_ignored(body: Json, shot: Shot) -> Json:
    """max_completion_tokens is ignored."""
    return without(body, "max_completion_tokens")


def _says_stop(answer: Answer) -> Answer:
    return replace(answer, finish="stop") if answer.finish == "length" else answer


@fault("max-tokens-ends-with-stop", caught_by=MAX_TOKENS, stage="answer", when=says("max_tokens"))
def max_tokens_ends_with_stop(answer: Answer, shot: Shot) -> Answer:
    """An answer cut by max_tokens says that it ended by itself."""
    return _says_stop(answer)


@fault("max-completion-tokens-ends-with-stop", caught_by=MAX_COMPLETION_TOKENS, stage="answer",
       when=says("max_completion_tokens"))  # fmt: skip
def max_completion_tokens_ends_with_stop(answer: Answer, shot: Shot) -> Answer:
    """An answer cut by max_completion_tokens says that it ended by itself."""
    return _says_stop(answer)


def _capless(call: Call) -> bool:
    return chat(call) and isinstance(call.body, dict) and all(call.says(name) is None for name in CAPS)


@fault("sixteen-tokens-without-a-cap", caught_by=NO_CAP, stage="body", when=_capless)
def sixteen_tokens_without_a_cap(body: Json, shot: Shot) -> Json:
    """Where no cap is given 16 tokens are, the default of the completions of old (OgbujiPT issue 14)."""
    return {**body, "max_tokens": 16}


@fault("twenty-tokens-and-then-a-stop", caught_by=NO_CAP, stage="answer", when=_capless)
def twenty_tokens_and_then_a_stop(answer: Answer, shot: Shot) -> Answer:
    """Where no cap is given an answer ends after 20 tokens, and says that it ended by itself (foundry-local issue
    243)."""
    cut = answer.limited(20, ())
    return _says_stop(cut) if cut.finish == "length" else answer


@fault("bad-cap-accepted", caught_by=BAD_CAPS, stage="body", when=edits.bad_cap)
def bad_cap_accepted(body: Json, shot: Shot) -> Json:
    """A cap below 1 is taken for no cap."""
    return without(body, *CAPS)


@fault("bad-cap-500", caught_by=STATUS, stage="reply", when=edits.bad_cap)
def bad_cap_500(reply: Reply, shot: Shot) -> Reply:
    """A cap below 1 gives 500."""
    return failure()


@fault("stall-on-negative-cap", caught_by=BAD_CAPS, stage="wire", when=edits.bad_cap)
def stall_on_negative_cap(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A cap below 1 is never answered."""
    shot.fire()
    yield Act.STALL


@fault("stop-ignored", caught_by=STOP, stage="body", when=says("stop"))
def stop_ignored(body: Json, shot: Shot) -> Json:
    """stop is ignored."""
    return without(body, "stop")


@fault("stop-kept-in-the-text", caught_by=STOP, stage="answer", when=says("stop"))
def stop_kept_in_the_text(answer: Answer, shot: Shot) -> Answer:
    """The stop string is part of the answer it ends."""
    return answer.then(answer.stopped_by) if answer.stopped_by else answer


@fault("stop-ends-with-length", caught_by=CAP, stage="answer", when=says("stop"))
def stop_ends_with_length(answer: Answer, shot: Shot) -> Answer:
    """An answer ended by a stop string says that it was cut by its cap."""
    return replace(answer, finish="length") if answer.stopped_by else answer


@fault("n-ignored", caught_by=N, stage="body", when=edits.several)
def n_ignored(body: Json, shot: Shot) -> Json:
    """n is ignored: one choice."""
    return without(body, "n")


@fault("n-one-too-many", caught_by=N, stage="body", when=edits.several)
def n_one_too_many(body: Json, shot: Shot) -> Json:
    """One choice more than n."""
    return {**body, "n": body["n"] + 1}


@fault("logprobs-ignored", caught_by=LOGPROBS, stage="body", when=says("logprobs"))
def logprobs_ignored(body: Json, shot: Shot) -> Json:
    """logprobs is ignored."""
    return without(body, "logprobs", "top_logprobs")


@fault("logprobs-of-the-first-choice-alone", caught_by=LOGPROBS, stage=("whole", "chunk"), when=edits.several)
def logprobs_of_the_first_choice_alone(body: Json, shot: Shot) -> Json:
    """Log probabilities are given of the first choice alone."""
    return each_choice(body, lambda c: {**c, "logprobs": None} if c["index"] and c.get("logprobs") else c)


def _tokens(body: Json, change: Any) -> Json:
    """With the list of token logprobs of each choice changed."""

    def spoil(choice: Json) -> Json:
        given = choice.get("logprobs")
        return {**choice, "logprobs": {**given, "content": change(given["content"])}} if given else choice

    return each_choice(body, spoil)


def _wants_many(call: Call) -> bool:
    return says("top_logprobs")(call) and call.says("top_logprobs") > FEW


@fault("five-alternatives-at-most", caught_by=TOP, stage=("whole", "chunk"), when=_wants_many)
def five_alternatives_at_most(body: Json, shot: Shot) -> Json:
    """Of more than five alternatives five are given, as many as the document allowed before it allowed twenty."""
    return _tokens(body, lambda told: [{**each, "top_logprobs": each["top_logprobs"][:FEW]} for each in told])


@fault("logprobs-positive", caught_by=LOGPROBS, stage=("whole", "chunk"), when=says("logprobs"))
def logprobs_positive(body: Json, shot: Shot) -> Json:
    """Log probabilities are above zero."""
    return _tokens(body, lambda given: [{**each, "logprob": -each["logprob"]} for each in given])


@fault("logprobs-of-other-tokens", caught_by=LOGPROBS, stage=("whole", "chunk"), when=says("logprobs"))
def logprobs_of_other_tokens(body: Json, shot: Shot) -> Json:
    """The tokens of logprobs do not make up the content."""
    return _tokens(body, lambda given: [{**each, "token": " x", "bytes": [32, 120]} for each in given])


@fault("logprobs-empty", caught_by=LOGPROBS, stage=("whole", "chunk"), when=says("logprobs"))
def logprobs_empty(body: Json, shot: Shot) -> Json:
    """logprobs is there and holds no token."""
    return _tokens(body, lambda given: [])


@fault("wrong-types-accepted", caught_by=TYPES, stage="body", when=edits.wrong_type)
def wrong_types_accepted(body: Json, shot: Shot) -> Json:
    """A parameter of the wrong type is ignored."""
    return without(body, *misfits(body))


@fault("wrong-type-500", caught_by=STATUS, stage="reply", when=edits.wrong_type)
def wrong_type_500(reply: Reply, shot: Shot) -> Reply:
    """A parameter of the wrong type gives 500."""
    return failure()


@fault("dies-on-wrong-type", caught_by=NEXT, stage="wire", when=edits.wrong_type)
def dies_on_wrong_type(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A parameter of the wrong type ends the process."""
    shot.fire()
    yield Act.DIE


@fault("deaf-on-wrong-type", caught_by=TYPES, stage="wire", when=edits.wrong_type)
def deaf_on_wrong_type(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """After a parameter of the wrong type the server listens no more, and its process lives."""
    shot.fire()
    yield Act.DEAF


def _differ(call: Call) -> bool:
    given = [call.says(name) for name in CAPS]
    return chat(call) and all(map(edits.whole_number, given)) and len(set(given)) > 1


@fault("the-larger-cap-wins", caught_by=BAD_CAPS, stage="body", when=_differ)
def the_larger_cap_wins(body: Json, shot: Shot) -> Json:
    """Of two caps that differ the larger one holds."""
    return without(body, min(CAPS, key=body.__getitem__))


def _huge(call: Call) -> bool:
    return chat(call) and any(edits.whole_number(c) and c > 10**9 for c in (call.says(name) for name in CAPS))


@fault("stall-on-huge-cap", caught_by=BAD_CAPS, stage="wire", when=_huge)
def stall_on_huge_cap(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A cap that no context holds is never answered."""
    shot.fire()
    yield Act.STALL


SUM = "params/probabilities-are-probabilities"


def _alternatives(body: Json, change: Any) -> Json:
    """With the alternatives of each token changed."""
    return _tokens(body, lambda given: [{**each, "top_logprobs": change(each["top_logprobs"])} for each in given])


@fault("top-logprobs-ignored", caught_by=TOP, stage=("whole", "chunk"), when=says("top_logprobs"))
def top_logprobs_ignored(body: Json, shot: Shot) -> Json:
    """top_logprobs is ignored: no alternative is listed."""
    return _alternatives(body, lambda _given: [])


@fault("top-logprobs-one-too-few", caught_by=TOP, stage=("whole", "chunk"), when=says("top_logprobs"))
def top_logprobs_one_too_few(body: Json, shot: Shot) -> Json:
    """One alternative less than top_logprobs asks for."""
    return _alternatives(body, lambda given: given[:-1])


@fault("top-logprobs-unsorted", caught_by=TOP, stage=("whole", "chunk"), when=says("top_logprobs"))
def top_logprobs_unsorted(body: Json, shot: Shot) -> Json:
    """The least likely alternative comes first."""
    return _alternatives(body, lambda given: given[::-1])


@fault("top-logprobs-without-the-token", caught_by=TOP, stage=("whole", "chunk"), when=says("top_logprobs"))
def top_logprobs_without_the_token(body: Json, shot: Shot) -> Json:
    """The token that was chosen is not among the alternatives."""
    return _alternatives(body, lambda given: [{**given[0], "token": " x"}, *given[1:]])


@fault("probabilities-beyond-one", caught_by=SUM, stage=("whole", "chunk"), when=says("top_logprobs"))
def probabilities_beyond_one(body: Json, shot: Shot) -> Json:
    """The probabilities at one place add up to more than one: they were scaled each for itself."""
    return _alternatives(body, lambda given: [{**each, "logprob": -0.1} for each in given])


@fault("a-likelier-token-is-listed", caught_by=SUM, stage=("whole", "chunk"), when=says("top_logprobs"))
def a_likelier_token_is_listed(body: Json, shot: Shot) -> Json:
    """The log probability of the chosen token is that of another one, less likely."""
    return _tokens(body, lambda given: [{**each, "logprob": each["logprob"] - 3} for each in given])
