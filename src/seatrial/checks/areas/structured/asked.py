"""What is asked for: the traits of this area."""

from __future__ import annotations

from seatrial.checks import traits
from seatrial.checks.traits import trait

FORMED = trait("formed")
"""Each whole answer has to be JSON."""

OBJECT = traits.DECLINABLE | FORMED | trait("json-object")
"""Any JSON object is asked for: ``json_object``."""

BOUND = traits.CHAT | FORMED | trait("bound")
"""A schema that every server can enforce, answered plain."""

BOUND_STREAM = traits.STREAM | FORMED | trait("bound-stream")
"""The same as a stream."""

ADVERSE = traits.CHAT | FORMED | trait("adverse")
"""The prompt asks for anything but JSON."""

CUT = traits.CHAT | trait("bound-and-cut")
"""The cap is too small for any value of the schema."""

EVERYDAY = traits.DECLINABLE | FORMED | trait("everyday-keywords")
JOINED = traits.DECLINABLE | FORMED | trait("references")
"""References, recursion, alternatives."""

FINE = traits.DECLINABLE | FORMED | trait("fine-keywords")
"""Patterns, bounds of numbers, lengths."""

FORMATS = traits.DECLINABLE | FORMED | trait("formats")

SCRIPTS = traits.DECLINABLE | FORMED | trait("any-script")
KEYS = traits.DECLINABLE | FORMED | trait("keys")
"""The prompt asks for fewer keys than are required, and for more than are allowed."""

UNENFORCEABLE = traits.DECLINABLE | trait("unenforceable")
"""Schemas that no value fits, or that cannot be read; and some that few can enforce."""

MALFORMED = traits.FAULTY | trait("malformed-format")
"""A format of no known type, or with a schema that is none."""

INCOMPLETE = traits.FAULTY | trait("incomplete-format")
"""A format without its name or schema, or whose ``strict`` is no boolean."""

EXPLOSIVE = traits.FAULTY | trait("explosive-schema")
"""A schema that takes without bound to read or to compile."""

WITH_TOOLS = traits.DECLINABLE | trait("format-and-tools")
"""Tools are offered beside a format: requests ``none`` (no call allowed) and ``named`` (a call forced)."""

WITH_THOUGHT = traits.DECLINABLE | trait("format-and-thought")
"""Thought is asked for: requests ``free`` (without a format) and ``bound`` (with one)."""

PARSED = traits.CHAT | FORMED | trait("parsed")
"""The request that the official SDK sends for a typed answer."""
