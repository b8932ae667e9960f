"""A model as a server lists it."""

from __future__ import annotations

import msgspec

FILE, ROOT = "file", "root"
"""Marks that name a model: the file, or the folder or hub's name, from which it was loaded, without what is before."""


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """One model that a server offers.

    Attributes:
        aliases: other names that it answers to.
        marks: what the server tells of the model itself, whatever the model is called: its size, where its weights lie.
    """

    id: str
    aliases: tuple[str, ...] = ()
    marks: dict[str, str] = {}
