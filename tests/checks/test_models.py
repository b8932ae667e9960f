"""Rules on models."""

from tests.checks.specimens import EXPECT, MODEL, breaks, exchange, found, holds, models, pair, plain, refused


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
