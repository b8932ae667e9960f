"""Faults of the list of models, and of names that are not on it."""

from __future__ import annotations

from dataclasses import replace

from tests.golden import edits
from tests.golden.edits import failure, get, without
from tests.golden.items import Reply
from tests.golden.registry import Call, Shot, chat, fault, streaming
from tests.golden.validation import MODEL, RefusedError

LIST = "models/list-has-its-shape"
ITEM = "models/item-has-its-fields"
UNKNOWN_ID = "models/unknown-id-is-a-404"
UNKNOWN = "models/unknown-model-is-refused"
ONE = "models/answers-name-one-model"
TALKED = "models/probes-name-one-model"
SAME = "models/one-model-is-as-listed"
FORM = "models/id-is-read-in-any-form"
USED = "models/used-model-is-listed"
OTHERS = "models/each-listed-model-is-usable"
NAMELESS = "models/chat-without-a-model-is-refused-or-says-whose-it-is"
WORD = "models/status-is-a-known-word"
READY = "models/model-that-answers-is-listed-as-ready"
STATUS = "errors/client-fault-is-never-5xx"


@fault("models-a-bare-list", caught_by=LIST, stage="reply", when=get("/v1/models"))
def models_bare_list(reply: Reply, shot: Shot) -> Reply:
    """The model list is a bare JSON list."""
    return Reply(200, reply.payload["data"]) if reply.status == 200 else reply


@fault("models-object-wrong", caught_by=LIST, stage="reply", when=get("/v1/models"))
def models_object_wrong(reply: Reply, shot: Shot) -> Reply:
    """The model list's object is not "list"."""
    return Reply(200, {**reply.payload, "object": "models"}) if reply.status == 200 else reply


@fault("models-data-an-object", caught_by=LIST, stage="reply", when=get("/v1/models"))
def models_data_object(reply: Reply, shot: Shot) -> Reply:
    """The model list's data is an object keyed by id."""
    if reply.status != 200:
        return reply
    return Reply(200, {**reply.payload, "data": {item["id"]: item for item in reply.payload["data"]}})


def _item(reply: Reply, **changes: object) -> Reply:
    """A list or a single model with fields changed; None drops one."""
    dropped = tuple(name for name, value in changes.items() if value is None)

    def spoil(item: edits.Json) -> edits.Json:
        return without({**item, **changes}, *dropped)

    if reply.status != 200:
        return reply
    payload = reply.payload
    return Reply(200, {**payload, "data": list(map(spoil, payload["data"]))} if "data" in payload else spoil(payload))


def _models(call: object) -> bool:
    return str(getattr(call, "path", "")).startswith("/v1/models")


@fault("model-without-created", caught_by=ITEM, stage="reply", when=_models)
def model_without_created(reply: Reply, shot: Shot) -> Reply:
    """A listed model has no created."""
    return _item(reply, created=None)


@fault("model-created-a-string", caught_by=ITEM, stage="reply", when=_models)
def model_created_a_string(reply: Reply, shot: Shot) -> Reply:
    """A listed model's created is an ISO date."""
    return _item(reply, created="2026-11-24T00:00:00Z")


@fault("model-created-in-milliseconds", caught_by=ITEM, stage="reply", when=get("/v1/models"))
def model_created_in_milliseconds(reply: Reply, shot: Shot) -> Reply:
    """created of a listed model is a time in milliseconds."""
    return _item(reply, created=1_760_000_000_000)


@fault("model-object-wrong", caught_by=ITEM, stage="reply", when=_models)
def model_object_wrong(reply: Reply, shot: Shot) -> Reply:
    """A listed model's object is not "model"."""
    return _item(reply, object="engine")


@fault("model-without-owner", caught_by=ITEM, stage="reply", when=_models)
def model_without_owner(reply: Reply, shot: Shot) -> Reply:
    """A listed model has no owned_by."""
    return _item(reply, owned_by=None)


def _unknown_id(reply: Reply, shot: Shot) -> bool:
    return reply.status == 404 and shot.call.path.startswith("/v1/models/")


@fault("unknown-model-id-200", caught_by=UNKNOWN_ID, stage="reply")
def unknown_model_id_200(reply: Reply, shot: Shot) -> Reply:
    """An unknown model id is described as if it were there."""
    made_up = {"id": shot.call.path.rpartition("/")[2], "object": "model", "created": 0, "owned_by": "seatrial"}
    return Reply(200, made_up) if _unknown_id(reply, shot) else reply


@fault("unknown-model-id-400", caught_by=UNKNOWN_ID, stage="reply")
def unknown_model_id_400(reply: Reply, shot: Shot) -> Reply:
    """An unknown model id gives 400."""
    return replace(reply, status=400) if _unknown_id(reply, shot) else reply


@fault("unknown-model-echoed", caught_by=UNKNOWN, stage=("body", "whole", "chunk"), when=edits.other_model)
def unknown_model_echoed(value: edits.Json, shot: Shot) -> edits.Json:
    """A request for an unknown model is answered, under the name it asked for."""
    if "messages" in value:
        shot.scratch["asked"] = value["model"]
        return {**value, "model": MODEL}
    return {**value, "model": shot.scratch["asked"]}


def _paged(call: Call) -> bool:
    return call.request.method == "GET" and call.path.startswith("/v1/models/")


@fault("one-model-of-another-owner", caught_by=SAME, stage="reply", when=_paged)
def one_model_of_another_owner(reply: Reply, shot: Shot) -> Reply:
    """The page of a model says another owner than the list: it is written in another place of the source."""
    return _item(reply, owned_by="system")


@fault("one-model-under-its-file", caught_by=SAME, stage="reply", when=_paged)
def one_model_under_its_file(reply: Reply, shot: Shot) -> Reply:
    """The page of a model calls it by its file, and the list by its name."""
    return _item(reply, id=f"/models/{MODEL}.gguf")


@fault("encoded-id-lost", caught_by=FORM, stage="reply", when=_paged)
def encoded_id_lost(reply: Reply, shot: Shot) -> Reply:
    """An id that is encoded is not decoded: it is looked up as it stands in the path."""
    if "%" not in shot.call.request.target:
        return reply
    return RefusedError("the model does not exist", param="model", code="model_not_found", status=404).reply()


@fault("list-names-another", caught_by=USED, stage="reply", when=get("/v1/models"))
def list_names_another(reply: Reply, shot: Shot) -> Reply:
    """The list has the name of the file, which no chat knows."""
    return _item(reply, id=f"{MODEL}-q4.gguf")


@fault("list-names-one-more", caught_by=OTHERS, stage="reply", when=get("/v1/models"))
def list_names_one_more(reply: Reply, shot: Shot) -> Reply:
    """The list has a model beside the served one that nobody serves."""
    if reply.status != 200:
        return reply
    more = {**reply.payload["data"][0], "id": OTHER}
    return replace(reply, payload={**reply.payload, "data": [*reply.payload["data"], more]})


@fault("status-of-no-meaning", caught_by=WORD, stage="reply", when=get("/v1/models"))
def status_of_no_meaning(reply: Reply, shot: Shot) -> Reply:
    """The list says of a model's state what no client knows: HIBERNATING."""
    return _item(reply, status={"value": "HIBERNATING"})


@fault("status-of-yesterday", caught_by=READY, stage="reply", when=get("/v1/models"))
def status_of_yesterday(reply: Reply, shot: Shot) -> Reply:
    """The list calls a model unloaded that has just answered: it was made when the server began."""
    return _item(reply, status={"value": "unloaded"})


@fault("lists-no-state", stage="reply", when=_models, family="honest")
def lists_no_state(reply: Reply, shot: Shot) -> Reply:
    """The list says nothing of a model's state, as of a server that has one."""
    return _item(reply, status=None)


def _nameless(call: Call) -> bool:
    return chat(call) and isinstance(call.body, dict) and "model" not in call.body and bool(call.says("messages"))


@fault("nameless-answered", caught_by=NAMELESS, stage=("body", "whole", "chunk"), when=_nameless)
def nameless_answered(value: edits.Json, shot: Shot) -> edits.Json:
    """A chat without a model is answered, under no name: that of the request is repeated."""
    return {**value, "model": ""} if "object" in value else {**value, "model": MODEL}


@fault("nameless-500", caught_by=NAMELESS, stage="reply", when=_nameless)
def nameless_500(reply: Reply, shot: Shot) -> Reply:
    """A chat without a model gives 500."""
    return failure(message="'model'")


@fault("unknown-model-served", caught_by=UNKNOWN, stage="body", when=edits.other_model)
def unknown_model_served(body: edits.Json, shot: Shot) -> edits.Json:
    """A request for an unknown model is answered under the served model's own name; ADVISORY, as it is the only one."""
    return {**body, "model": MODEL}


@fault("unknown-model-500", caught_by=STATUS, stage="reply", when=edits.other_model)
def unknown_model_500(reply: Reply, shot: Shot) -> Reply:
    """A request for an unknown model gives 500."""
    return failure() if reply.status == 404 else reply


OTHER = "golden-0-mini"
"""The model that a gateway puts in the place of the one asked for."""


def _talk(call: Call) -> bool:
    """A question of behaviour: those alone are streamed with a seed."""
    return streaming(call) and call.says("seed") is not None


def _number(shot: Shot) -> int:
    """Which of the answers that a fault could spoil this one is, from 0."""
    if "number" not in shot.scratch:
        shot.scratch["number"] = shot.memory["next"] = shot.memory.get("next", -1) + 1
    return int(shot.scratch["number"])


@fault("another-model-answers", caught_by=ONE, stage=("whole", "chunk"), when=chat)
def another_model_answers(body: edits.Json, shot: Shot) -> edits.Json:
    """A gateway that fails over has three of four answers from another model, and says so in no other way."""
    return {**body, "model": OTHER} if _number(shot) % 4 else body


@fault("another-model-streams", caught_by=ONE, stage="chunk", when=streaming)
def another_model_streams(body: edits.Json, shot: Shot) -> edits.Json:
    """Streams come from another model than plain answers."""
    return {**body, "model": OTHER}


@fault("another-model-later", caught_by=ONE, stage=("whole", "chunk"), when=chat)
def another_model_later(body: edits.Json, shot: Shot) -> edits.Json:
    """From its fourth answer on a gateway answers from another model."""
    return {**body, "model": OTHER} if _number(shot) >= 3 else body


@fault("another-model-talks", caught_by=TALKED, stage="chunk", when=_talk, family="behaviour")
def another_model_talks(body: edits.Json, shot: Shot) -> edits.Json:
    """One in four questions of behaviour is answered by another model."""
    return body if _number(shot) % 4 else {**body, "model": OTHER}


@fault("another-model-talks-later", caught_by=TALKED, stage="chunk", when=_talk, family="behaviour")
def another_model_talks_later(body: edits.Json, shot: Shot) -> edits.Json:
    """From the second question of behaviour on another model answers: the first one was put out."""
    return body if _number(shot) < 1 else {**body, "model": OTHER}
