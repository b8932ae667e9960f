"""Whether two endpoints serve one model, as far as they tell: ``--same`` holds no two models against each other."""

from __future__ import annotations

from seatrial.given.errors import ConfigError
from seatrial.records import FILE_SUM, Endpoint


def expect_one(incumbent: Endpoint, candidate: Endpoint) -> None:
    """Let two endpoints pass that may serve one model.

    Raises:
        ConfigError: they serve two; the line says by what that is known.
    """
    if why := apart(incumbent, candidate):
        raise ConfigError(
            f"--same needs one model on all endpoints: {incumbent.name} and {candidate.name} serve two ({why}); "
            "leave --same out to compare two models"
        )


def apart(one: Endpoint, other: Endpoint) -> str:
    """By what two models are told apart; empty where nothing does.

    Equal files are one model, whatever it is called. Sizes that differ are two; names are asked last: one file may be
    served under two.
    """
    mine, its = one.facts.get(FILE_SUM), other.facts.get(FILE_SUM)
    if mine and its:
        return "" if mine == its else f"their files differ: sha256 {mine[:12]} and {its[:12]}"
    both = sorted(one.marks.keys() & other.marks.keys())
    for key in both:
        if one.marks[key] != other.marks[key]:
            return f"{key} {one.marks[key]} and {other.marks[key]}"
    if not both and _bare(one.model) != _bare(other.model):
        return f"{one.model} and {other.model}"
    return ""


def _bare(model: str) -> str:
    """A model's name without its folder and the ending of a file."""
    return model.rstrip("/").rpartition("/")[2].casefold().removesuffix(".gguf")
