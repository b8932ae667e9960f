"""The words by which rules and scenarios find each other.

A scenario carries traits; a rule names those it needs (``of``). The transport reads two of them: what is ``chat``
and not ``faulty`` is a valid chat request, whose caps it may scale and whose off-switch for thinking it may add.
"""

from __future__ import annotations

CHAT = frozenset({"chat"})
"""A valid chat completion."""

STREAM = CHAT | {"stream"}
"""Its answer is an event stream."""

LONG = STREAM | {"long"}
"""A stream of enough tokens to take more than a second on most hosts."""

USAGE = STREAM | {"usage"}
"""A stream that was asked for its usage."""

COUNTED = CHAT | {"counted"}
"""The answer has to say its usage: every plain one, and streams asked for it."""

JSON = frozenset({"json"})
"""The answer is 200 and JSON."""

MODELS = JSON | {"models"}
"""The list of models."""

MAX_TOKENS = COUNTED | {"max-tokens"}
"""The same prompt under a short and a long ``max_tokens``: requests ``short`` and ``long``."""

MAX_COMPLETION_TOKENS = COUNTED | {"max-completion-tokens"}
"""The same with ``max_completion_tokens``."""

STOP = CHAT | {"stop"}
"""A stop string that all but every English answer holds."""

CHOICES = CHAT | {"n"}
"""More than one choice is asked for."""

LOGPROBS = CHAT | {"logprobs"}

REUSE = frozenset({"reuse"})
"""Several requests on one connection, a refused one and a stream among them."""

FAULTY = frozenset({"faulty"})
"""A request a server has to refuse (``bad``), then one it has to answer (``good``)."""

UNKNOWN_PATH = FAULTY | {"unknown-path"}
MALFORMED_JSON = FAULTY | {"malformed-json"}
NO_OBJECT = FAULTY | {"no-object"}
EMPTY_BODY = FAULTY | {"empty-body"}
UNKNOWN_ID = FAULTY | {"unknown-id"}
UNKNOWN_MODEL = FAULTY | {"unknown-model"}
EMPTY_MESSAGES = FAULTY | {"empty-messages"}
BAD_MESSAGES = FAULTY | {"bad-messages"}
STREAM_FAULT = FAULTY | {"stream-fault"}
"""A fault in a request that asks for a stream."""

BAD_CAP = FAULTY | {"bad-cap"}
WRONG_TYPE = FAULTY | {"wrong-type"}

KILLER = frozenset({"killer"})
"""This request has ended servers: sent last of its hazard."""
