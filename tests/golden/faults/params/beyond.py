"""Faults of what a server may lack: passed over without a word. And honest refusals of the same."""

from __future__ import annotations

from collections.abc import Callable

from tests.golden.edits import Json, failure, says, without
from tests.golden.items import Reply
from tests.golden.registry import Call, Shot, chat, fault
from tests.golden.validation import RefusedError

EFFORTS = "params/each-effort-is-taken-or-refused"
EFFORT = "params/effort-none-thinks-less"
VERBOSITY = "params/verbosity-shows"
AUDIO = "params/audio-is-given-or-refused"
SEARCH = "params/search-is-made-or-refused"
MODERATION = "params/moderation-is-told-or-refused"
PREDICTION = "params/prediction-does-no-harm"


def _high(call: Call) -> bool:
    return chat(call) and call.says("reasoning_effort") in ("xhigh", "max")


@fault("unknown-effort-500", caught_by=EFFORTS, stage="reply", when=_high)
def unknown_effort_500(reply: Reply, shot: Shot) -> Reply:
    """Words of reasoning_effort that came later give 500."""
    return failure()


@fault("effort-ignored", caught_by=EFFORT, stage="body", when=says("reasoning_effort"))
def effort_ignored(body: Json, shot: Shot) -> Json:
    """reasoning_effort is ignored (OVMS issue 4495)."""
    return without(body, "reasoning_effort")


def _none(call: Call) -> bool:
    return chat(call) and call.says("reasoning_effort") == "none"


@fault("effort-none-is-high", caught_by=EFFORT, stage="body", when=_none)
def effort_none_is_high(body: Json, shot: Shot) -> Json:
    """reasoning_effort none is no word that is known, and the highest is used."""
    return {**body, "reasoning_effort": "high"}


@fault("verbosity-ignored", caught_by=VERBOSITY, stage="body", when=says("verbosity"))
def verbosity_ignored(body: Json, shot: Shot) -> Json:
    """verbosity is ignored."""
    return without(body, "verbosity")


def asks(name: str) -> Callable[[Call], bool]:
    """A chat with a parameter, be it an empty object."""
    return lambda call: chat(call) and call.says(name) is not None


@fault("audio-ignored", caught_by=AUDIO, stage="body", when=asks("audio"))
def audio_ignored(body: Json, shot: Shot) -> Json:
    """modalities and audio are ignored."""
    return without(body, "audio", "modalities")


@fault("search-ignored", caught_by=SEARCH, stage="body", when=asks("web_search_options"))
def search_ignored(body: Json, shot: Shot) -> Json:
    """web_search_options are ignored."""
    return without(body, "web_search_options")


@fault("moderation-ignored", caught_by=MODERATION, stage="body", when=asks("moderation"))
def moderation_ignored(body: Json, shot: Shot) -> Json:
    """moderation is ignored."""
    return without(body, "moderation")


@fault("prediction-500", caught_by=PREDICTION, stage="reply", when=asks("prediction"))
def prediction_500(reply: Reply, shot: Shot) -> Reply:
    """A prediction gives 500."""
    return failure()


def _refuse(name: str, body: Json, shot: Shot) -> Json:
    shot.fire()
    raise RefusedError(f"{name} is not supported", param=name)


@fault("refuses-audio", stage="body", when=asks("audio"), family="honest")
def refuses_audio(body: Json, shot: Shot) -> Json:
    """An answer that is to be spoken is refused with a 400."""
    return _refuse("audio", body, shot)


@fault("refuses-search", stage="body", when=asks("web_search_options"), family="honest")
def refuses_search(body: Json, shot: Shot) -> Json:
    """web_search_options are refused with a 400."""
    return _refuse("web_search_options", body, shot)


@fault("refuses-moderation", stage="body", when=asks("moderation"), family="honest")
def refuses_moderation(body: Json, shot: Shot) -> Json:
    """moderation is refused with a 400."""
    return _refuse("moderation", body, shot)


@fault("refuses-seed", stage="body", when=asks("seed"), family="honest")
def refuses_seed(body: Json, shot: Shot) -> Json:
    """seed is refused with a 400."""
    return _refuse("seed", body, shot)


@fault("refuses-logit-bias", stage="body", when=asks("logit_bias"), family="honest")
def refuses_logit_bias(body: Json, shot: Shot) -> Json:
    """logit_bias is refused with a 400."""
    return _refuse("logit_bias", body, shot)


@fault("refuses-verbosity", stage="body", when=asks("verbosity"), family="honest")
def refuses_verbosity(body: Json, shot: Shot) -> Json:
    """verbosity is refused with a 400."""
    return _refuse("verbosity", body, shot)
