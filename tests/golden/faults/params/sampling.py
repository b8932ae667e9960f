"""Faults of sampling: what draws the tokens is not what was asked for."""

from __future__ import annotations

from typing import Any

from tests.golden.answers import Answer
from tests.golden.edits import Json, says, several, without
from tests.golden.registry import Call, Shot, chat, fault, freedom

ZERO = "params/temperature-zero-repeats-itself"
HIGH = "params/high-temperature-varies"
TOP_P = "params/tiny-top-p-is-greedy"
TOP_P_ZERO = "params/top-p-zero-is-greedy"
DEFAULT = "params/answers-are-drawn-by-default"
SEED = "params/seed-repeats-and-another-differs"
FREQUENCY = "params/frequency-penalty-shows"
PRESENCE = "params/presence-penalty-shows"
BIAS = "params/logit-bias-forces"
CHOICES = "params/each-choice-is-drawn-by-itself"


def _says(name: str, *values: Any) -> Any:
    """A chat that sets a parameter to one of some values; 0 is no False."""
    return lambda call: chat(call) and call.says(name) is not None and call.says(name) in values


@fault("temperature-zero-is-taken-for-none", caught_by=ZERO, stage="body", when=_says("temperature", 0))
def temperature_zero_is_taken_for_none(body: Json, shot: Shot) -> Json:
    """Temperature 0 is falsy, and the default is used in its place (text-generation-inference: must be positive)."""
    return without(body, "temperature")


@fault("temperature-ignored", caught_by=HIGH, stage="body", when=_says("temperature", 2, 1.5))
def temperature_ignored(body: Json, shot: Shot) -> Json:
    """Every answer is greedy, whatever the temperature."""
    return {**body, "temperature": 0}


@fault("seed-zero-is-taken-for-none", caught_by=SEED, stage="body", when=_says("seed", 0))
def seed_zero_is_taken_for_none(body: Json, shot: Shot) -> Json:
    """Seed 0 is falsy, and counts as none (OpenAPI document, seed: an integer)."""
    return without(body, "seed")


@fault("top-p-ignored", caught_by=TOP_P, stage="body", when=says("top_p"))
def top_p_ignored(body: Json, shot: Shot) -> Json:
    """top_p is ignored."""
    return without(body, "top_p")


@fault("top-p-zero-is-taken-for-none", caught_by=TOP_P_ZERO, stage="body", when=_says("top_p", 0))
def top_p_zero_is_taken_for_none(body: Json, shot: Shot) -> Json:
    """A top_p of 0 is falsy, and the default is used in its place."""
    return without(body, "top_p")


@freedom(
    "ties-are-broken-by-one-seed",
    of="top_p of zero",
    source="OpenAPI document, top_p: the tokens of the top share; which of several that are as likely is nowhere said",
    stage="body",
    when=_says("top_p", 0),
)
def ties_are_broken_by_one_seed(body: Json, shot: Shot) -> Json:
    """Of the tokens that a top_p of 0 leaves, all of them as likely, one is drawn by a seed that is always the same."""
    return {**without(body, "top_p"), "temperature": 1, "seed": 1}


def _silent(call: Call) -> bool:
    return chat(call) and isinstance(call.body, dict) and call.says("temperature") is None


@fault("default-is-greedy", caught_by=DEFAULT, stage="body", when=_silent)
def default_is_greedy(body: Json, shot: Shot) -> Json:
    """Where no temperature is given, 0 is used."""
    return {**body, "temperature": 0}


@fault("seed-ignored", caught_by=SEED, stage="body", when=says("seed"))
def seed_ignored(body: Json, shot: Shot) -> Json:
    """seed is ignored (llama.cpp issue 7381)."""
    return without(body, "seed")


@fault("any-seed-is-one", caught_by=SEED, stage="body", when=says("seed"))
def any_seed_is_one(body: Json, shot: Shot) -> Json:
    """Every seed is taken for the same: it is read as a yes or no."""
    return {**body, "seed": 1}


@fault("frequency-penalty-ignored", caught_by=FREQUENCY, stage="body", when=says("frequency_penalty"))
def frequency_penalty_ignored(body: Json, shot: Shot) -> Json:
    """frequency_penalty is ignored."""
    return without(body, "frequency_penalty")


@fault("presence-penalty-ignored", caught_by=PRESENCE, stage="body", when=says("presence_penalty"))
def presence_penalty_ignored(body: Json, shot: Shot) -> Json:
    """presence_penalty is ignored."""
    return without(body, "presence_penalty")


@fault("logit-bias-ignored", caught_by=BIAS, stage="body", when=says("logit_bias"))
def logit_bias_ignored(body: Json, shot: Shot) -> Json:
    """logit_bias is ignored (Ollama issue 3795)."""
    return without(body, "logit_bias")


@fault("logit-bias-of-strings-ignored", caught_by=BIAS, stage="body", when=says("logit_bias"))
def logit_bias_of_strings_ignored(body: Json, shot: Shot) -> Json:
    """One id is looked up as it is written, as a string, and not found."""
    kept = {key: bias for key, bias in body["logit_bias"].items() if key != "2000"}
    return body if kept == body["logit_bias"] else {**body, "logit_bias": kept}


@fault("choices-share-their-draws", caught_by=CHOICES, stage="draft", when=several)
def choices_share_their_draws(answer: Answer, shot: Shot) -> Answer:
    """All choices of a request are drawn from one seed, place by place: they are copies (tt-metal issue 53077)."""
    first: Answer = shot.call.drafts[0]
    return first if len(shot.call.drafts) > 1 else answer
