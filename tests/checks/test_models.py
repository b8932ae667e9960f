"""Rules on models."""

import json

import pytest

from tests.checks.specimens import (
    CHUNK,
    DONE,
    EXPECT,
    MODEL,
    breaks,
    delta,
    ends,
    exchange,
    found,
    good,
    holds,
    models,
    pair,
    plain,
    refused,
    stream,
)


def test_list_has_its_shape():
    rule = "models/list-has-its-shape"
    holds(rule, [models(), models(MODEL)])
    breaks(rule, models(object="models"), "object", "models")
    breaks(rule, exchange(b'{"object": "list", "data": {}}'), "data", "{}")
    breaks(rule, exchange(b"[]"), "the body", "[]")
    breaks(rule, exchange(b"<html>"), "the body", "not JSON")


def test_item_has_its_fields():
    rule = "models/item-has-its-fields"
    holds(rule, [models(MODEL, MODEL | {"id": "n", "meta": {}})])
    breaks(rule, models(MODEL, {"id": "x", "object": "model", "owned_by": "us"}), "data[1].created", "no such key")
    breaks(rule, models(MODEL | {"created": "5"}), "data[0].created", "5")
    breaks(rule, models(MODEL | {"created": True}), "data[0].created", "True")
    holds(rule, [models(MODEL | {"created": 0}), models(MODEL | {"created": 4_133_980_799})])
    breaks(rule, models(MODEL | {"created": 1_760_000_000_000}), "data[0].created", "1760000000000")
    breaks(rule, models(MODEL | {"id": ""}), "data[0].id")
    breaks(rule, models(MODEL | {"object": "llm"}), "data[0].object", "llm")
    breaks(rule, models("m"), "data[0]", "m")
    assert [f.kind for f in found(rule, models())] == ["no-evidence"]
    assert [f.kind for f in found(rule, models(data={}))] == ["no-evidence"]


def test_unknown_id_is_a_404():
    holds("models/unknown-id-is-a-404", [pair(refused(404))])
    breaks("models/unknown-id-is-a-404", pair(models(MODEL)), "the status", "200")
    breaks("models/unknown-id-is-a-404", pair(refused(400)), "the status", "400")


def test_unknown_model_is_refused():
    rule = "models/unknown-model-is-refused"
    fiction = {"model": "fiction", "messages": []}
    holds(rule, [pair(refused(404, asked=fiction))])
    assert not breaks(rule, pair(plain(asked=fiction)), "the status", "200 from 'm'").grave
    assert breaks(rule, pair(plain({"model": "fiction"}, asked=fiction)), "model", "fiction").grave
    assert breaks(rule, pair(plain(asked=fiction)), "the status", "200", models=("m", "n")).grave
    assert not breaks(rule, pair(refused(400, asked=fiction)), "the status", "400").grave
    assert EXPECT.models == ("m",)


def renamed(name, chunks=None):
    return [c | {"model": name} if isinstance(c, dict) else c for c in chunks or good()]


def test_answers_name_one_model():
    rule = "models/answers-name-one-model"
    holds(rule, [plain(), stream(), {"short": plain(), "long": stream()}])
    holds(rule, [plain(), stream()], named="m")
    alias = "/models/m.gguf"
    holds(rule, [plain({"model": alias}), stream(*renamed(alias))], named=alias)
    breaks(rule, plain({"model": "other"}), "model", "other", named="m")
    breaks(rule, plain(), "model", "m", named=alias)  # the one asked for, and yet not the one before
    breaks(rule, stream(*renamed("other")), "model", "other", named="m")
    breaks(rule, {"short": plain(), "long": plain({"model": "other"})}, "long: model", "other", named="m")


@pytest.mark.parametrize("name", ["", " "])
def test_a_model_without_a_name_is_none(name):
    rule = "models/answers-name-one-model"
    for named in ("m", "", name):
        breaks(rule, plain({"model": name}), "model", "an empty text", named=named)
        breaks(rule, stream(*renamed(name)), "model", "an empty text", named=named)


@pytest.mark.parametrize("name", [..., None, 5, [], {"id": "m"}])
def test_an_answer_without_a_name_shows_no_other_model(name):
    assert [f.kind for f in found("models/answers-name-one-model", plain({"model": name}), named="m")] == [
        "no-evidence"
    ]
    unnamed = stream(CHUNK | {"model": "", "choices": []}, delta(role="assistant", content="x"), ends(), DONE)
    holds("models/answers-name-one-model", [unnamed], named="m")


def test_without_a_first_name_only_the_one_asked_for_is_known():
    holds("models/answers-name-one-model", [plain()])
    assert [f.kind for f in found("models/answers-name-one-model", plain({"model": "alias"}))] == ["no-evidence"]


def test_probes_name_one_model():
    rule = "models/probes-name-one-model"
    alias = [stream(*renamed("alias")) for _ in range(3)]
    holds(rule, [{"a": stream(), "b": stream()}], named="m")
    holds(rule, [dict(zip("abc", alias, strict=True)), {"a": stream(), "b": refused()}])
    breaks(rule, {"a": stream(), "b": alias[0]}, "model in 1 of 2 answers", "alias: b", named="m")
    breaks(rule, {"a": stream(), "b": alias[0], "c": alias[1]}, "model in 1 of 3 answers", "m: a")
    changing = stream(*good()[:2], *renamed("other", good()[2:]))
    breaks(rule, {"a": stream(), "b": changing}, "model in 1 of 2 answers", "other: b")
    assert [f.kind for f in found(rule, {"a": refused(), "b": stream(DONE)})] == ["no-evidence"]


def one(answer, **others):
    return {"list": models(MODEL), "plain": answer, "encoded": answer} | others


def page(**changes):
    return exchange(json.dumps(MODEL | changes).encode(), method="GET", path="/models/m")


def test_one_model_is_as_listed():
    rule = "models/one-model-is-as-listed"
    holds(rule, [one(page()), one(page(created=9, meta={}))])
    breaks(rule, one(page(owned_by="system")), "owned_by", "system")
    breaks(rule, one(page(id="/models/m.gguf")), "id", "/models/m.gguf")
    breaks(rule, one(exchange(b"[]", path="/models/m")), "id", "no such key")
    breaks(rule, one(refused(500, path="/models/m"), encoded=page()), "the status", "500")
    assert [f.optional for f in found(rule, one(refused(404)))] == [True]
    assert found(rule, one(refused(404), encoded=page())) == []
    (told,) = found(rule, one(page(), list=models()))
    assert (told.kind, told.causes) == ("no-evidence", ("models/list-has-its-shape[*]",))


def test_id_is_read_in_any_form():
    rule = "models/id-is-read-in-any-form"
    holds(rule, [one(page())])
    breaks(rule, one(page(), encoded=refused(404)), "encoded: the status", "404, plain: 200")
    breaks(rule, one(refused(404), encoded=page()), "plain: the status", "404, encoded: 200")
    assert [f.optional for f in found(rule, one(refused(405)))] == [True]


def listing(*items, **changes):
    return {"before": plain(), "list": models(*items, **changes)}


STATES = {"answers": ["loaded", "sleeping"], "others": ["unloaded"]}


def test_used_model_is_listed():
    rule = "models/used-model-is-listed"
    holds(rule, [listing(MODEL), listing(MODEL | {"id": "n", "aliases": ["m"]}), listing(MODEL | {"id": "*"})])
    breaks(rule, listing(MODEL | {"id": "m.gguf"}), "data", "m.gguf")
    assert [f.kind for f in found(rule, listing())] == ["no-evidence"]
    assert [f.kind for f in found(rule, listing(MODEL) | {"before": refused(500)})] == ["no-evidence"]


def test_each_listed_model_is_usable():
    rule = "models/each-listed-model-is-usable"
    vectors = exchange(b'{"data": []}')
    holds(rule, [{"list": models(MODEL), "first": plain(), "last": refused(400), "last: vectors": vectors}])
    wrong = {"list": models(MODEL), "first": refused(404, asked={"model": "n"}), "first: vectors": refused(404)}
    breaks(rule, wrong, "first: n", "404")
    breaks(rule, {"list": models(MODEL), "first": exchange(b"", status=None, error="deadline")}, "the answer")
    assert [f.kind for f in found(rule, {"list": models(MODEL)})] == ["no-evidence"]


def test_chat_without_a_model_is_refused_or_says_whose_it_is():
    rule = "models/chat-without-a-model-is-refused-or-says-whose-it-is"
    holds(rule, [pair(refused(400)), pair(refused(404)), pair(plain()), pair(stream())])
    breaks(rule, pair(plain({"model": ""})), "model", "none")
    breaks(rule, pair(stream(*renamed(""))), "model", "none")
    assert breaks(rule, pair(refused(500)), "the status", "500").causes == ("errors/client-fault-is-never-5xx",)
    breaks(rule, pair(refused(302)), "the status", "302")


@pytest.mark.parametrize("status", ["loaded", {"value": "sleeping", "args": []}])
def test_a_state_that_clients_know(status):
    for rule in ("models/status-is-a-known-word", "models/model-that-answers-is-listed-as-ready"):
        holds(rule, [listing(MODEL | {"status": status})], settings=STATES)


def test_status_is_a_known_word():
    rule = "models/status-is-a-known-word"
    breaks(rule, listing(MODEL | {"status": "dormant"}), "status of m", "dormant", settings=STATES)
    assert [f.optional for f in found(rule, listing(MODEL), settings=STATES)] == [True]
    assert [f.optional for f in found(rule, listing(MODEL | {"status": 5}), settings=STATES)] == [True]


def test_model_that_answers_is_listed_as_ready():
    rule = "models/model-that-answers-is-listed-as-ready"
    breaks(rule, listing(MODEL | {"status": {"value": "unloaded"}}), "status of m", "unloaded", settings=STATES)
    others = listing(MODEL | {"id": "n", "status": "unloaded"}, MODEL)
    assert [f.optional for f in found(rule, others, settings=STATES)] == [True]
