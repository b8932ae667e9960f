"""The traits of parameters, and what several of their modules read."""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.checks import traits
from seatrial.checks.traits import trait
from seatrial.reading import chat
from seatrial.records import Exchange

MAX_TOKENS = traits.COUNTED | trait("max-tokens")
"""The same prompt under a short and a long ``max_tokens``: requests ``short`` and ``long``."""

MAX_COMPLETION_TOKENS = traits.COUNTED | trait("max-completion-tokens")
"""The same with ``max_completion_tokens``."""

NO_CAP = traits.DECLINABLE | trait("no-cap")
"""A greedy answer that goes on, as a stream: ``capped``, and ``free`` of a cap, which our client leaves in time."""

BAD_CAP = traits.FAULTY | trait("bad-cap")
"""A cap that cannot be meant, or two that differ."""

CHOICES = traits.CHAT | traits.SEVERAL
APART = traits.DECLINABLE | trait("choices-apart")
"""Two choices of one prompt at the highest temperature, asked for again and again, without a seed."""

LOGPROBS = traits.CHAT | trait("logprobs")
"""Log probabilities are asked for."""

ALTERNATIVES = LOGPROBS | trait("alternatives")
"""The likeliest tokens of each place are asked for too."""

STOP = traits.CHAT | trait("stop")
"""A stop string that all but every English answer holds."""

STOPS = traits.CHAT | trait("stop-strings")
"""A greedy answer, ``free``; then a piece of it as the last of ``four`` stop strings, and alone, as a ``stream``; then
pieces spelt otherwise, as stop strings that end nothing (``unlike``, ``unlike-stream``); and a piece that stands behind
a blank (``blank``, ``blank-stream``)."""

SCRIPT_STOPS = traits.DECLINABLE | trait("stop-strings-of-any-script")
"""An answer that a schema binds to words of several scripts, ``free``, and the same with stop strings out of them:
``script``, and as a stream ``script-stream``; and the words without a schema, ``said-free`` and ``said``."""

NO_STOP = traits.DECLINABLE | trait("no-stop-string")
"""A greedy answer, ``free``, and the same with a stop that names nothing."""

MANY_STOPS = traits.FAULTY | trait("many-stop-strings")
"""More stop strings than the four that are allowed."""

STOP_IN_THOUGHT = traits.DECLINABLE | trait("stop-in-thought")
"""A question to think about, with stop strings that all but every thought holds."""

SAMPLED = traits.CHAT | trait("sampled")
"""One prompt drawn again and again: names begin with ``greedy`` (temperature 0), ``hot`` (2), ``narrow`` (2, but a
``top_p`` that leaves one token) and ``default``, which says nothing of sampling."""

SEEDED = traits.DECLINABLE | trait("seeded")
"""One prompt at a high temperature: thrice with one seed (``same``), once with ``other``, twice without (``free``),
and twice with 0 (``zero``)."""

TOP_P_ZERO = traits.DECLINABLE | trait("top-p-zero")
"""One prompt drawn again and again at the highest temperature, but with a ``top_p`` of zero."""

FREQUENCY = traits.DECLINABLE | trait("frequency")
"""A greedy answer under the highest ``frequency_penalty`` (``more``) and under the lowest (``less``)."""

PRESENCE = traits.DECLINABLE | trait("presence")
"""The same with ``presence_penalty``."""

BIASED = traits.DECLINABLE | trait("biased")
"""A greedy answer, ``free``, and the same with a bias of 100 for one token (``one``), and for ``another``."""

OUT_OF_RANGE = traits.FAULTY | trait("out-of-range")
"""Numbers beyond what the specification allows, a request each."""

NO_NUMBER = traits.FAULTY | trait("no-number")
"""A number that JSON, or a computer, does not have."""

WRONG_TYPE = traits.FAULTY | trait("wrong-type")
"""A parameter of a wrong type."""

ALONE = traits.FAULTY | trait("top-logprobs-alone")
"""``top_logprobs`` without ``logprobs``."""

STRAY = traits.DECLINABLE | trait("stray-stream-options")
"""``stream_options`` of a request that asks for no stream."""

LABELS = traits.DECLINABLE | trait("labels")
"""What a caller writes down for himself: all of it, and each apart where all is refused."""

NULLS = traits.DECLINABLE | trait("nulls")
"""Every parameter that may be null is null, and each apart where all is refused."""

UNKNOWN = traits.DECLINABLE | trait("unknown-parameter")
"""A parameter that nobody knows: ``plain``, as a ``stream``, and in a request for ``vectors``."""

TEXT_FORMAT = traits.DECLINABLE | trait("text-format")
"""A greedy answer ``without`` a response_format, and ``with`` the one that says text."""

EFFORTS = traits.DECLINABLE | trait("efforts")
"""A request for each word that ``reasoning_effort`` may have."""

EFFORT = traits.DECLINABLE | trait("effort")
"""A hard question with ``reasoning_effort`` ``high``, and with ``none``; ``able`` has a switch of the template too."""

ONE = traits.DECLINABLE | trait("one-parameter")
"""One parameter beside the usual ones. The scenario is named after it: ``with-top-p``."""

REQUIRED = frozenset({"stop", "top_p", "stream_options", "max_completion_tokens"})
"""Parameters without which no chat is done: each is asked for where nothing may be refused."""

VERBOSITY = traits.DECLINABLE | trait("verbosity")
"""A greedy answer with ``verbosity`` ``low``, and ``high``."""

AUDIO = traits.DECLINABLE | trait("audio-answer")
"""An answer is to be spoken."""

SEARCH = traits.DECLINABLE | trait("web-search")
"""The web is to be searched."""

MODERATION = traits.DECLINABLE | trait("moderation")
"""The answer is to be moderated."""

PREDICTION = traits.DECLINABLE | trait("prediction")
"""The text that is expected is given beforehand."""


def text(x: Exchange) -> str:
    """What the first choice of an answer says, thought included."""
    first = chat.answers(x).get(0)
    return "" if first is None else first.reasoning + first.content


def named(xs: Mapping[str, Exchange], prefix: str) -> list[str]:
    """What the answers say, to requests whose names begin so; without those that say nothing."""
    said = (text(x) for name, x in xs.items() if name.startswith(prefix))
    return [each for each in said if each.strip()]
