"""Rules on plain chat answers and on messages that get none."""

import msgspec
import pytest

from tests.checks.specimens import (
    ASKED,
    COUNTED,
    HEAD,
    answer,
    breaks,
    choice,
    delta,
    exchange,
    found,
    good,
    holds,
    pair,
    plain,
    refused,
    stream,
)

COUNTING = stream(*good(usage=True), asked=COUNTED)

EVERY = [
    "chat/choices-are-indexed-and-from-the-assistant",
    "chat/created-is-in-seconds",
    "chat/created-is-the-time-of-the-answer",
    "chat/finish-reason-is-known",
    "chat/usage-adds-up",
    "chat/completion-tokens-keep-the-cap",
    "chat/content-is-string-or-null",
    "schema/answer-validates",
]


SECONDS = "chat/created-is-in-seconds"
DATE = "Thu, 09 Oct 2025 08:53:20 GMT"
"""When the specimens were created."""
TIME = "chat/created-is-the-time-of-the-answer"


@pytest.mark.parametrize("created", [978_307_200, 1_760_000_000, 4_133_980_799])
def test_created_is_in_seconds(created):
    holds(SECONDS, [plain({"created": created}), stream(delta() | {"created": created}, "[DONE]")])


@pytest.mark.parametrize(
    ("created", "year"),
    [(0, "year 1970"), (-5, "year 1969"), (1_760_000_000_000, "year 57742"), (1e300, "no year"), (2**70, "no year")],
)
def test_created_in_another_unit_is_wrong_and_the_year_is_told(created, year):
    assert year in breaks(SECONDS, plain({"created": created}), "created", "").consequence
    later = [delta(role="assistant", content="a"), delta() | {"created": created}, "[DONE]"]
    assert year in breaks(SECONDS, stream(*later), "created", ", in chunk 1").consequence


@pytest.mark.parametrize("created", [1_760_000_000.5, 1_760_000_000.0])
def test_created_is_a_whole_number_and_the_schema_hangs_on_it(created):
    chunks = [delta(role="assistant", content="a") | {"created": created}, "[DONE]"]
    one, other = (breaks(SECONDS, x, "created", "1760000000.") for x in (plain({"created": created}), stream(*chunks)))
    assert (one.where, one.expected, one.consequence) == (other.where, other.expected, other.consequence)
    assert {f.causes for f in found("schema/answer-validates", plain({"created": created}))} <= {(SECONDS,)}


@pytest.mark.parametrize("created", [1.5, -1.5])
def test_the_schema_hangs_on_a_fraction_of_any_time(created):
    breaks(SECONDS, plain({"created": created}), "created", str(created))
    assert {f.causes for f in found("schema/answer-validates", plain({"created": created}))} == {(SECONDS,)}


@pytest.mark.parametrize("rule", [SECONDS, TIME])
@pytest.mark.parametrize("created", ["1760000000", None, True, [], ...])
def test_a_created_that_is_no_number_is_for_the_schema(rule, created):
    assert [f.kind for f in found(rule, plain({"created": created}))] == ["no-evidence"]
    assert found("schema/answer-validates", plain({"created": created}))[0].kind == "violation"


@pytest.mark.parametrize("offset", [-300, 0, 300])
def test_created_is_the_time_of_the_answer(offset):
    dated = {"content-type": "application/json", "date": DATE}
    holds(TIME, [plain({"created": 1_760_000_000 + offset}, headers=dated)])


@pytest.mark.parametrize("date", [None, "", "soon", "Thu, 99"])
def test_without_a_date_there_is_nothing_to_hold_created_against(date):
    headers = {"content-type": "application/json"} | ({} if date is None else {"date": date})
    assert [(f.kind, f.optional) for f in found(TIME, plain(headers=headers))] == [("refusal", True)]


@pytest.mark.parametrize("offset", [-3600, -301, 301, 10**8])
def test_created_at_another_time_than_the_date_is_wrong(offset):
    dated = {"date": DATE}
    created = {"created": 1_760_000_000 + offset}
    words = f"{abs(offset)} s {'after' if offset > 0 else 'before'} it"
    breaks(TIME, plain(created, headers={"content-type": "application/json"} | dated), "created", words)
    chunks = [delta(role="assistant", content="a") | created, "[DONE]"]
    breaks(TIME, stream(*chunks, headers={"content-type": "text/event-stream"} | dated), "created", words)


def test_a_created_that_is_in_no_seconds_is_one_finding():
    dated = {"content-type": "application/json", "date": DATE}
    assert [f.kind for f in found(TIME, plain({"created": 5}, headers=dated))] == ["no-evidence"]


def usage(prompt, completion, total):
    return {"usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}}


@pytest.mark.parametrize("rule", EVERY)
def test_good_answers_are_left_alone(rule):
    two = {"choices": [choice(), choice(None, 1, "length", logprobs=None)], "timings": {"ms": 1.5}}
    dated = (*COUNTING.headers, ("date", DATE))
    stream = msgspec.structs.replace(COUNTING, headers=dated)
    headers = {"content-type": "application/json", "date": DATE}
    holds(rule, [plain(headers=headers), plain(two, asked=ASKED | {"n": 2}, headers=headers), stream])


@pytest.mark.parametrize("rule", EVERY)
def test_a_body_that_is_no_object_is_no_evidence_or_wrong(rule):
    findings = found(rule, exchange(b"[]")) + found(rule, exchange(b"<html>"))
    assert findings
    assert {f.kind for f in findings} <= (
        {"no-evidence", "violation"} if rule.startswith("schema") else {"no-evidence"}
    )


NOBODY = [plain({"choices": []}), stream({"choices": []}, "[DONE]", asked=COUNTED)]


@pytest.mark.parametrize("evidence", NOBODY, ids=["plain", "stream"])
@pytest.mark.parametrize(
    "rule",
    [
        "chat/finish-reason-is-known",
        "chat/content-is-string-or-null",
        "params/stop-string-ends-the-answer",
        "params/logprobs-are-given",
    ],
)
def test_without_a_choice_there_is_nothing_to_pass(rule, evidence):
    assert [f.kind for f in found(rule, evidence)] == ["no-evidence"]
    breaks("chat/choices-are-indexed-and-from-the-assistant", evidence, "")


def test_a_stream_without_a_finish_reason_is_no_evidence_for_its_words():
    endless = stream(*good()[:-2], "[DONE]")
    assert [f.kind for f in found("chat/finish-reason-is-known", endless)] == ["no-evidence"]
    breaks("sse/one-finish-reason-per-choice", endless, "")


def test_an_answer_without_a_cap_is_held_against_none():
    x = plain(asked={k: v for k, v in ASKED.items() if k != "max_tokens"})
    assert [f.kind for f in found("chat/completion-tokens-keep-the-cap", x)] == ["no-evidence"]


@pytest.mark.parametrize(
    ("rule", "evidence", "where", "got"),
    [
        ("chat/choices-are-indexed-and-from-the-assistant", plain({"choices": []}), "choices", "[]"),
        ("chat/choices-are-indexed-and-from-the-assistant", plain({"choices": 5}), "choices", "5"),
        ("chat/choices-are-indexed-and-from-the-assistant", plain({"choices": ["x"]}), "choices[0]", "x"),
        ("chat/choices-are-indexed-and-from-the-assistant", plain({"choices": [choice(index=1)]}), "index", "1"),
        (
            "chat/choices-are-indexed-and-from-the-assistant",
            plain({"choices": [choice(index=False)]}),
            "index",
            "False",
        ),
        ("chat/choices-are-indexed-and-from-the-assistant", plain({"choices": [choice(message=None)]}), "message", ""),
        (
            "chat/choices-are-indexed-and-from-the-assistant",
            plain({"choices": [choice(message={"role": "model", "content": ""})]}),
            "message.role",
            "model",
        ),
        ("chat/finish-reason-is-known", plain({"choices": [choice(finish="stpp")]}), "finish_reason", "stpp"),
        ("chat/finish-reason-is-known", plain({"choices": [choice(finish=None)]}), "finish_reason", "None"),
        ("chat/finish-reason-is-known", plain({"choices": [choice(finish=["stop"])]}), "finish_reason", "['stop']"),
        ("chat/usage-adds-up", plain({"usage": ...}), "usage", "None"),
        ("chat/usage-adds-up", plain({"usage": [1]}), "usage", "[1]"),
        ("chat/usage-adds-up", plain(usage(5, 2, 8)), "total_tokens", "8"),
        ("chat/usage-adds-up", plain(usage(5, -2, 3)), "completion_tokens", "-2"),
        ("chat/usage-adds-up", plain(usage(5, "2", 7)), "completion_tokens", "2"),
        ("chat/usage-adds-up", plain(usage(5, True, 6)), "completion_tokens", "True"),
        ("chat/usage-adds-up", stream(asked=COUNTED), "usage", "None"),
        ("chat/usage-adds-up", plain(usage(0, 2, 2)), "prompt_tokens", "0"),
        ("chat/usage-adds-up", plain(usage(5, 0, 5)), "completion_tokens", "0"),
        ("chat/completion-tokens-keep-the-cap", plain(usage(5, 17, 22)), "completion_tokens", "17"),
        (
            "chat/completion-tokens-keep-the-cap",
            plain(usage(5, 9, 14) | {"choices": [choice(finish="length")]}),
            "completion_tokens",
            "9",
        ),
        ("chat/content-is-string-or-null", plain({"choices": [choice(["a"])]}), "content", "['a']"),
        (
            "chat/content-is-string-or-null",
            plain({"choices": [choice(message={"role": "assistant"})]}),
            "content",
            "no such key",
        ),
        ("schema/answer-validates", plain({"created": "now"}), "created", "now"),
        ("schema/answer-validates", plain({"id": ...}), "the body", "id"),
        ("schema/answer-validates", plain({"choices": [choice(finish="eos")]}), "choices[0].finish_reason", "eos"),
        ("schema/answer-validates", exchange(b"[]"), "the body", "object"),
        ("schema/answer-validates", exchange(b"null"), "the body", "object"),
    ],
)
def test_a_wrong_answer_is_named(rule, evidence, where, got):
    breaks(rule, evidence, where, got)


@pytest.mark.parametrize("said", ["", None, " "])
def test_an_answer_that_says_nothing_may_count_as_nothing(said):
    holds("chat/usage-adds-up", [plain(usage(5, 0, 5) | {"choices": [choice(said)]})])


def test_what_is_counted_as_nothing_is_no_count():
    uncounted = found(
        "chat/completion-tokens-keep-the-cap", plain(usage(5, 0, 5) | {"choices": [choice(finish="length")]})
    )
    assert [(f.kind, f.causes[0]) for f in uncounted] == [("no-evidence", "chat/usage-adds-up")]
    grown = found(
        "chat/prompt-tokens-are-those-of-the-prompt", dict.fromkeys(("short", "again", "long"), plain(usage(0, 2, 2)))
    )
    assert [(f.kind, f.causes) for f in grown] == [("no-evidence", ("chat/usage-adds-up",))]


def test_the_cap_is_for_each_choice():
    asked = ASKED | {"n": 2, "max_tokens": 4}
    holds("chat/completion-tokens-keep-the-cap", [plain(usage(5, 8, 13), asked=asked)])
    breaks("chat/completion-tokens-keep-the-cap", plain(usage(5, 9, 14), asked=asked), "completion_tokens", "9")


def test_a_cut_answer_may_miss_the_cap_by_one():
    cut = usage(5, 15, 20) | {"choices": [choice(finish="length")]}
    holds("chat/completion-tokens-keep-the-cap", [plain(cut)])


def test_the_strict_reading_wants_what_no_sdk_misses():
    rule = "schema/answer-validates"
    findings = found(rule, plain(), strict=True)
    assert any("refusal" in f.got for f in findings)
    assert any("logprobs" in f.got for f in findings)
    message = {"role": "assistant", "content": "x", "refusal": None}
    holds(rule, [plain({"choices": [choice(message=message, logprobs=None)]})], strict=True)


def test_null_for_what_may_be_missing_is_the_strict_readings_alone():
    x = plain({"system_fingerprint": None, "usage": {**answer()["usage"], "prompt_tokens_details": None}})
    holds("schema/answer-validates", [x])
    assert found("schema/answer-validates", x, strict=True)


def test_a_stream_with_the_same_fault_in_each_chunk_is_told_once():
    chunks = [{**c, "created": "now"} for c in good()[:-1]]
    assert len(found("schema/answer-validates", stream(*chunks, "[DONE]"))) == 1


@pytest.mark.parametrize("rule", ["chat/empty-messages-are-refused", "chat/bad-messages-are-refused"])
def test_messages_that_make_no_sense_are_refused(rule):
    holds(rule, [pair(refused()), pair(refused(422))])
    breaks(rule, pair(plain()), "the status", "200")
    breaks(rule, pair(refused(500)), "the status", "500")
    assert [f.kind for f in found(rule, pair(refused(503)))] == ["no-evidence"]


def test_an_answer_of_another_shape_is_judged_whatever_its_head():
    breaks("schema/answer-validates", exchange(b'{"object": "error"}'), "the body")
    for body in (b'[{"choices": []}]', b'"{\\"choices\\": []}"'):  # its message shows the word, and nothing hangs on it
        assert breaks("schema/answer-validates", exchange(body), "the body").causes == ()
    assert HEAD["object"] == "chat.completion"
