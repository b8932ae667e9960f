"""Rules on vectors: their shape and form, what they may depend on, and what must be refused."""

import base64
import json
import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.checks.catalogue import load_all
from seatrial.checks.running import run
from seatrial.judging.case import _figures
from seatrial.records import Level
from tests.checks.specimens import ERROR, EXPECT, breaks, exchange, found, holds, refused
from tests.checks.test_hostile import VALUES

SEA, SHIP, RAIN = (0.6, 0.8, 0.0), (0.0, 0.6, 0.8), (0.8, 0.0, -0.6)
EMBEDDINGS = {"path": "/embeddings"}


def packed(values, code="<{}f"):
    return base64.b64encode(struct.pack(code.format(len(values)), *values)).decode()


def body(*vectors, tokens=None, **changes):
    read = 3 * len(vectors) if tokens is None else tokens
    data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    usage = {"prompt_tokens": read, "total_tokens": read}
    told = {"object": "list", "data": data, "model": "m", "usage": usage} | changes
    return {name: value for name, value in told.items() if value is not ...}


def asked(given, **more):
    return {"model": "m", "input": given, **more}


def answer(given, *vectors, asks=None, **changes):
    """An answer of these vectors to a request for the vectors of these inputs."""
    told = body(*map(list_or_text, vectors), **changes)
    return exchange(json.dumps(told).encode(), asked=asked(given, **(asks or {})), **EMBEDDINGS)


def list_or_text(vector):
    return vector if isinstance(vector, str) else list(vector)


def refusal(given, status=400, **more):
    return refused(status, ERROR, asked=asked(given, **more), **EMBEDDINGS)


def entry(**changes):
    made = {"object": "embedding", "index": 0, "embedding": list(SEA)} | changes
    return {name: value for name, value in made.items() if value is not ...}


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"object": "embeddings"}, "object"),
        ({"object": ...}, "object"),
        ({"model": ""}, "model"),
        ({"data": ...}, "data"),
        ({"data": []}, "data"),
        ({"data": [entry(), entry(index=1)]}, "data"),
        ({"data": [5]}, "data[0]"),
        ({"data": [entry(object=...)]}, "data[0].object"),
        ({"data": [entry(index="0")]}, "data[0].index"),
        ({"data": [entry(index=1)]}, "data[0].index"),
        ({"data": [entry(embedding=["0.1"])]}, "data[0].embedding"),
        ({"data": [entry(embedding=[])]}, "data[0].embedding"),
        ({"data": [entry(embedding=...)]}, "data[0].embedding"),
        ({"data": [entry(embedding="no base64")]}, "data[0].embedding"),
    ],
)
def test_answer_has_its_shape(changes, where):
    assert breaks("embeddings/answer-has-its-shape", answer("the sea", SEA, **changes), where).where == where


def test_shapes_that_are_good_and_others_that_are_not():
    rule = "embeddings/answer-has-its-shape"
    form = {"encoding_format": "base64"}
    good = [answer("the sea", SEA), answer(["the sea", "a ship"], SEA, SHIP), answer([5, 6, 7], SEA)]
    holds(rule, [*good, answer("the sea", packed(SEA), asks=form), answer("the sea", packed(SEA))])
    breaks(rule, answer(["the sea", "a ship"], SEA, SHIP[:2]), "data", "widths [2, 3]")
    breaks(rule, answer(["the sea", "a ship"], SEA), "data", "1 entries")
    breaks(rule, exchange(b"[[0.1]]", asked=asked("the sea"), **EMBEDDINGS), "the body")
    assert breaks(rule, exchange(b"{", asked=asked("the sea"), **EMBEDDINGS), "the body").causes
    assert [f.kind for f in found(rule, refusal("the sea"))] == ["refusal"]


def forms(left, right):
    return {
        "float": answer("the sea", right, asks={"encoding_format": "float"}),
        "base64": answer("the sea", left, asks={"encoding_format": "base64"}),
    }


@pytest.mark.parametrize(
    ("sent", "got", "grave"),
    [
        (SEA, "a list of numbers", True),
        ("no base64", "a text that is no base64", False),
        ("AAAA", "3 bytes", False),
        (packed(SEA, "<{}d"), "6 numbers, not 3", True),
        (packed(SEA, ">{}f"), "cosine", True),
        (packed([2 * value for value in SEA]), "length 2, not 1", True),
        (packed([math.nan, 0.8, 0.0]), "cosine none", True),
    ],
)
def test_base64_is_honoured(sent, got, grave):
    rule = "embeddings/base64-is-honoured"
    holds(rule, [forms(packed(SEA), SEA)])
    assert breaks(rule, forms(sent, SEA), "data[0].embedding", got).grave is grave
    assert [f.kind for f in found(rule, {"base64": answer("the sea", packed(SEA))})] == ["no-evidence"]
    nothing = forms(packed(SEA), SEA) | {"float": answer("the sea")}
    assert [f.kind for f in found(rule, nothing)] == ["no-evidence"]


def test_base64_is_held_against_a_second_request_only_where_answers_are_steady():
    [unsteady] = found("embeddings/base64-is-honoured", forms(packed(SHIP), SEA))
    assert "embeddings/vectors-do-not-depend-on-company[*]" in unsteady.causes


def test_float_is_honoured():
    rule = "embeddings/float-is-honoured"
    packed_one = answer("the sea", packed(SEA), asks={"encoding_format": "base64"})
    holds(rule, [answer("the sea", SEA), packed_one, answer("the sea", SEA, asks={"encoding_format": "float"})])
    assert breaks(rule, answer("the sea", packed(SEA)), "data[0].embedding", "base64").grave
    for nothing in (answer("the sea"), answer("the sea", SEA, data=[entry(embedding=["0.1"])])):
        assert [f.kind for f in found(rule, nothing)] == ["no-evidence"]


def test_unknown_form_is_refused():
    rule = "embeddings/unknown-form-is-refused"
    holds(rule, [{"bad": refusal("the sea", encoding_format="base63"), "good": answer("the sea", SEA)}])
    taken = answer("the sea", SEA, asks={"encoding_format": "base63"})
    breaks(rule, {"bad": taken, "good": answer("the sea", SEA)}, "the status", "200")


def company(**changes):
    usual = {
        "one": answer("the sea", SEA),
        "two": answer(["a ship"], SHIP),
        "batch": answer(["the sea", "a ship"], SEA, SHIP),
        "again": answer("the sea", SEA),
        "company": answer(["rain", "a ship", "the sea"], RAIN, SHIP, SEA),
    }
    return usual | changes


def test_batch_equals_its_parts():
    rule = "embeddings/batch-equals-its-parts"
    holds(rule, [company(), company(one=answer("the sea", [1.00001 * v for v in SEA]))])
    crossed = breaks(rule, company(batch=answer(["the sea", "a ship"], SHIP, SEA)), "batch: data[0]", "of input")
    assert crossed.grave
    assert not crossed.causes
    assert breaks(rule, company(batch=answer(["the sea", "a ship"], SEA, RAIN)), "batch: data[1]", "cosine").grave
    assert breaks(rule, company(one=answer("the sea", RAIN)), "batch: data[0]").causes  # each time another
    zeros = found(rule, company(two=answer(["a ship"], (0, 0, 0))))
    assert [(f.kind, f.about) for f in zeros] == [("no-evidence", "two")]
    alike = company(two=answer(["a ship"], SEA), batch=answer(["the sea", "a ship"], SEA, SEA))
    shared = breaks(rule, alike, "two texts", 'same for "the sea" and "a ship"')
    assert shared.grave
    shuffled = answer(["the sea", "a ship"], data=[entry(index=1, embedding=list(SHIP)), entry()])
    assert found(rule, company(batch=shuffled))[0].causes == ("embeddings/answer-has-its-shape",)
    strange = found(rule, company(two=answer(["a ship"], packed([math.nan, 0.6, 0.8]))))
    assert [(f.kind, f.about) for f in strange] == [("no-evidence", "two")]
    unasked = company()
    del unasked["two"]
    assert [f.got for f in found(rule, unasked)] == ["not asked"]


def test_a_vector_of_a_batch_is_as_long_as_alone():
    rule = "embeddings/batch-equals-its-parts"
    uneven = company(batch=answer(["the sea", "a ship"], SEA, SHIP[:-1]))
    assert breaks(rule, uneven, "batch: data[1]").causes == ("embeddings/answer-has-its-shape",)
    longer = [[1.05 * v for v in SEA], [3 * v for v in SHIP]]
    finding = breaks(rule, company(batch=answer(["the sea", "a ship"], *longer)), "batch: data[1]", "3")
    assert not finding.causes
    holds(rule, [company(batch=answer(["the sea", "a ship"], longer[0], SHIP))])


def test_a_batch_counts_no_more_than_its_parts():
    rule = "embeddings/batch-counts-no-more-than-its-parts"
    holds(rule, [company(), company(batch=answer(["the sea", "a ship"], SEA, SHIP, tokens=5))])
    breaks(rule, company(batch=answer(["the sea", "a ship"], SEA, SHIP, tokens=7)), "batch: usage.prompt_tokens", "7")
    for name, text in (("one", "the sea"), ("batch", ["the sea", "a ship"])):
        (one,) = found(rule, company(**{name: answer(text, SEA, SHIP, usage=...)}))
        assert (one.kind, one.causes) == ("no-evidence", ("embeddings/usage-is-of-the-prompt-alone",))


def test_vectors_do_not_depend_on_company():
    rule = "embeddings/vectors-do-not-depend-on-company"
    holds(rule, [company()])
    assert breaks(rule, company(again=answer("the sea", RAIN)), "again: data[0]", "cosine 0.48").grave
    late = company(company=answer(["rain", "a ship", "the sea"], RAIN, SHIP, SHIP))
    assert not breaks(rule, late, "company: data[2]", "0.48").causes
    pooled = company(
        batch=answer(["the sea", "a ship"], RAIN, RAIN), company=answer(["rain", "a ship", "the sea"], RAIN, SHIP, SEA)
    )
    assert breaks(rule, pooled, "company: data[1]").causes == ("embeddings/batch-equals-its-parts",)
    uneven = company(company=answer(["rain", "a ship", "the sea"], RAIN, SHIP, SEA[:-1]))
    assert breaks(rule, uneven, "company: data[2]").causes == ("embeddings/answer-has-its-shape",)
    assert [f.kind for f in found(rule, {"one": answer("the sea", SEA)})] == ["no-evidence"]
    assert [f.kind for f in found(rule, company(one=answer("the sea")))] == ["no-evidence"]


def test_vectors_do_not_depend_on_other_requests():
    rule = "embeddings/vectors-do-not-depend-on-other-requests"
    sea, ship, other = answer("the sea", SEA), answer("a ship", SHIP), answer("the sea", RAIN)
    holds(rule, [{"n1": sea, "n2": sea, "n3": ship, "n4": sea, "n5": ship}])
    mixed = breaks(rule, {"n1": sea, "n2": sea, "n3": ship, "n4": other}, "n4: data[0]", "cosine 0.48")
    assert mixed.grave
    assert mixed.about == "n4"
    assert [f.kind for f in found(rule, {"n1": sea, "n2": ship})] == ["no-evidence"]
    assert [f.kind for f in found(rule, {"n1": sea, "n2": answer("the sea")})] == ["no-evidence"]


def ids(one, several):
    return {"one": one, "several": several}


def test_token_ids_are_read_or_refused():
    rule = "embeddings/token-ids-are-read-or-refused"
    one, both = answer([5, 6, 7], SEA), answer([[8, 9], [5, 6, 7]], SHIP, SEA)
    holds(rule, [ids(one, both)])
    declined = found(rule, ids(refusal([5, 6, 7]), both))
    assert [f.kind for f in declined] == ["refusal"]
    assert breaks(rule, ids(answer([5, 6, 7], SEA, SHIP, RAIN), both), "one: data", "3 entries").grave
    assert breaks(rule, ids(one, answer([[8, 9], [5, 6, 7]], SEA, SEA)), "several: data[0]", "other ids").grave
    assert breaks(rule, ids(one, answer([[8, 9], [5, 6, 7]], SHIP, RAIN)), "several: data[1]", "cosine").grave
    assert [f.kind for f in found(rule, ids(answer([5, 6, 7]), both))] == ["no-evidence"]
    for case in (ids(answer([5, 6, 7], SEA, SHIP, RAIN), both), ids(one, answer([[8, 9], [5, 6, 7]], SEA, SEA))):
        assert "embeddings/answer-has-its-shape[*]" in found(rule, case)[0].causes


def cut(*values, whole=SEA):
    return {"whole": answer("the sea", whole), "cut": answer("the sea", values, asks={"dimensions": 2})}


def test_dimensions_are_honoured_or_refused():
    rule = "embeddings/dimensions-are-honoured-or-refused"
    holds(rule, [cut(0.6, 0.8), cut(3.0, 4.0, whole=(3, 4, 5))])
    assert load_all()[rule].optional
    assert [f.kind for f in found(rule, cut(0.6, 0.8) | {"cut": refusal("the sea", dimensions=2)})] == ["refusal"]
    assert breaks(rule, cut(*SEA), "cut: data[0]", "3 numbers").grave
    assert not breaks(rule, cut(0.3, 0.4), "cut: data[0]", "length 0.5").grave
    assert [f.kind for f in found(rule, {"whole": answer("the sea", SEA)})] == ["no-evidence"]
    assert [f.kind for f in found(rule, cut(0.6, 0.8) | {"whole": answer("the sea")})] == ["no-evidence"]


def test_numbers_are_finite_and_not_all_zero():
    rule = "embeddings/numbers-are-finite-and-not-all-zero"
    holds(rule, [answer("the sea", SEA), answer("the sea", (0, 5, 0)), answer("the sea", packed(SEA))])
    assert breaks(rule, answer("the sea", (0, 0, 0)), "data[0].embedding", "3 times 0").grave
    for stray in (math.nan, math.inf, -math.inf):
        assert breaks(rule, answer("the sea", packed([0.6, stray, 0.0])), "data[0].embedding[1]").grave
    assert [f.kind for f in found(rule, answer("the sea"))] == ["no-evidence"]
    form = {"encoding_format": "base64"}
    packed_one = breaks(rule, answer("the sea", packed([math.nan, 1.0]), asks=form), "data[0].embedding[0]")
    assert packed_one.causes == ("embeddings/base64-is-honoured",)
    [torn] = found(rule, answer("the sea", "no base64", asks=form))
    assert torn.causes == ("embeddings/answer-has-its-shape", "embeddings/base64-is-honoured")


def test_the_length_of_vectors_is_told():
    rule = load_all()["embeddings/numbers-are-finite-and-not-all-zero"]
    name = "length of the vectors"
    assert _figures(rule, {"only": answer("the sea", SEA)}, EXPECT) == {name: "1"}
    assert _figures(rule, answer(["the sea", "a ship"], SEA, (0, 3, 4)), EXPECT) == {name: "1 to 5"}
    assert _figures(rule, {"only": refusal("the sea")}, EXPECT) == {}


def test_usage_is_of_the_prompt_alone():
    rule = "embeddings/usage-is-of-the-prompt-alone"
    more = {"prompt_tokens": 3, "total_tokens": 3, "completion_tokens": 0}
    holds(rule, [answer("the sea", SEA), answer("the sea", SEA, usage=more)])
    breaks(rule, answer("the sea", SEA, usage=...), "usage.prompt_tokens")
    breaks(rule, answer("the sea", SEA, usage=[]), "usage.prompt_tokens", "[]")
    breaks(rule, answer("the sea", SEA, usage={"prompt_tokens": 3}), "usage.total_tokens", "no such key")
    breaks(rule, answer("the sea", SEA, usage={"prompt_tokens": 3, "total_tokens": 4}), "usage.total_tokens", "4")
    breaks(rule, answer(["the sea", "a ship"], SEA, SHIP, tokens=1), "usage.prompt_tokens", "1")
    long = ["a ship in the harbour", "rain over the hills"]
    holds(rule, [answer(long, SEA, SHIP, tokens=7), answer([[5, 6, 7], [8]], SEA, SHIP, tokens=4)])
    breaks(rule, answer(long, SEA, SHIP, tokens=5), "usage.prompt_tokens", "5")
    breaks(rule, answer([[5, 6, 7], [8]], SEA, SHIP, tokens=3), "usage.prompt_tokens", "3")


@pytest.mark.parametrize("rule", ["embeddings/empty-text-is-refused", "embeddings/empty-list-is-refused"])
def test_what_is_empty_is_refused(rule):
    given = "" if "text" in rule else []
    good = answer("the sea", SEA)
    holds(rule, [{"bad": refusal(given), "good": good}, {"bad": refusal(given, 422), "good": good}])
    breaks(rule, {"bad": answer(given, SEA), "good": good}, "the status", "200")
    assert breaks(rule, {"bad": refusal(given, 500), "good": good}, "the status", "500").causes


def too_long(*vectors, tokens):
    texts = ["sea " * 100, "sea " * 50 + "stone " * 50]
    return {"bad": answer(texts, *vectors, tokens=tokens), "good": answer("the sea", SEA)}


def test_text_too_long_is_refused():
    rule = "embeddings/text-too-long-is-refused"
    good = answer("the sea", SEA)
    holds(rule, [{"bad": refusal("sea"), "good": good}, too_long(SEA, SHIP, tokens=202)])
    assert breaks(rule, too_long(SEA, SHIP, tokens=100), "usage.prompt_tokens", "100 tokens of 200 words").grave
    assert breaks(rule, too_long(SEA, SEA, tokens=200), "data", "one vector").grave
    assert breaks(rule, {"bad": refusal("sea", 500), "good": good}, "the status").causes
    assert [f.kind for f in found(rule, too_long(SEA, SHIP, tokens="many"))] == ["no-evidence"]
    assert [f.kind for f in found(rule, too_long(tokens=3))] == ["no-evidence"]


def test_many_inputs_are_answered_or_refused():
    rule = "embeddings/many-inputs-are-answered-or-refused"
    many = ["sea"] * 4
    holds(rule, [answer(many, SEA, SEA, SEA, SEA)])
    assert [f.kind for f in found(rule, refusal(many, 413))] == ["refusal"]
    assert breaks(rule, answer(many, SEA, SEA), "data", "2").grave
    breaks(rule, refusal(many, 500), "the status", "500")
    assert breaks(rule, exchange(b"null", asked=asked(many), **EMBEDDINGS), "the body").causes


def test_too_many_inputs_are_refused():
    rule = "embeddings/too-many-inputs-are-refused"
    good, many = answer("the sea", SEA), ["sea"] * 4
    holds(rule, [{"bad": refusal(many), "good": good}, {"bad": answer(many, SEA, SEA, SEA, SEA), "good": good}])
    breaks(rule, {"bad": answer(many, SEA, SEA), "good": good}, "the status", "200")


def test_model_without_vectors_says_so():
    rule = "embeddings/model-without-vectors-says-so"
    holds(rule, [answer("the sea", SEA), refusal("the sea"), refusal("the sea", 404), refusal("the sea", 501)])
    assert load_all()[rule].level is Level.SHOULD
    breaks(rule, refusal("the sea", 500), "the status", "500")
    assert breaks(rule, answer("the sea"), "the answer", "200").grave


TEXT = "sea " * 100


def test_text_of_the_announced_length_is_taken():
    rule = "embeddings/text-of-the-announced-length-is-taken"
    taken, declined = answer(TEXT, SEA, tokens=102), refusal(TEXT)
    holds(rule, [taken], context=512)
    holds(rule, [taken])
    breaks(rule, declined, "the status", "400", context=150)
    for told in (None, 149):
        assert [f.kind for f in found(rule, declined, context=told)] == ["refusal"]
    assert breaks(rule, refusal(TEXT, 500), "the status", "500").grave
    cut = breaks(rule, answer(TEXT, SEA, tokens=64), "usage.prompt_tokens", "64 tokens", context=512)
    assert cut.grave
    assert "embeddings/text-too-long-is-refused[*]" in cut.causes
    assert [f.kind for f in found(rule, answer(TEXT))] == ["no-evidence"]


RULES = [each for each in load_all().values() if each.area == "embeddings"]
HOSTILE = st.dictionaries(st.sampled_from(["object", "index", "embedding", "data"]), VALUES, max_size=4)


@settings(max_examples=60)
@given(VALUES, st.lists(HOSTILE | VALUES, max_size=3), VALUES, VALUES)
def test_no_answer_of_anything_makes_a_rule_fall_over(wanted, data, usage, dimensions):
    told = {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": usage, "total_tokens": usage}}
    sent = asked(wanted, dimensions=dimensions)
    x = exchange(json.dumps(told | {"meta": usage, "max_model_len": usage}).encode(), asked=sent, **EMBEDDINGS)
    names = ("one", "two", "again", "batch", "company", "several", "whole", "cut", "float", "base64", "models", "long")
    for each in RULES:
        for evidence in (x, dict.fromkeys(names, x), {"bad": x, "good": x}):
            assert run(each, evidence, EXPECT)[1] == "", each.id
