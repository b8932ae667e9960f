"""Numbers that a line may hold: what is beyond them nobody wrote, and the decoder refuses it."""

from __future__ import annotations

from typing import Annotated

import msgspec

HIGHEST = 1 << 34
"""The highest number of a line: its writer would have written a terabyte. The length of its file is no bound, for a
writer counts through all of its files, and the lines before may be lost."""

_FAR = 1 << 62
_BOUND = msgspec.Meta(ge=-_FAR, le=_FAR)
Whole = Annotated[int, _BOUND]
"""A whole number of ours: no time, length or count of a record is farther from 0 than nanoseconds of 146 years. What a
server said is a plain ``int``: it may say anything."""
Real = Annotated[float, _BOUND]
""":data:`Whole`, with a fraction."""
Number = Annotated[int, msgspec.Meta(ge=-_FAR, le=HIGHEST)]
"""The number of a line, which its writer counts from 1."""
