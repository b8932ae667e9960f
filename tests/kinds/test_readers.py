"""Counters as servers print them: numbers that make sense, or None."""

from __future__ import annotations

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.kinds import detect, listed, llama_cpp, prometheus, vllm
from seatrial.kinds.kind import Heard
from seatrial.kinds.llama_cpp import Slots
from seatrial.kinds.prometheus import Nonsense, count

JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "id_task", "is_processing", "state", "next_token", "n_decoded", "models", "expires_at",
                         "n_prompt_tokens_processed", "data", "owned_by", "is_sleeping", "total_slots"]),
        inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("7.0", 7), ("3.21457e+06", 3214570), (" 4 ", 4), (12, 12), (1.0, 1), ("0", 0), ("NaN", None),
     ("+Inf", None), ("-1", None), ("1e300", None), ("", None), ("seven", None), (True, None), (None, None),
     ([], None), (math.nan, None), (10**400, None)],
)  # fmt: skip
def test_a_count_is_a_number_that_makes_sense_or_none(text, number):
    assert count(text) == number


def slot(task, prompt, decoded, *, works=True):
    return {"id": 0, "id_task": task, "is_processing": works, "n_prompt_tokens_processed": prompt,
            "next_token": [{"n_decoded": decoded}]}  # fmt: skip


def test_progress_adds_up_over_requests_and_never_falls():
    slots = Slots()
    looks = [slot(1, 5, 0), slot(1, 26, 1), slot(1, 26, 30), slot(1, 0, 0, works=False), slot(7, 8, 2), slot(7, 8, 4)]
    told = [slots.read(json.dumps([look]).encode()) for look in looks]
    assert [t["progress"] for t in told] == [5, 27, 56, 56, 66, 68]
    assert [t["running"] for t in told] == [1, 1, 1, 0, 1, 1]


@pytest.mark.parametrize(
    ("body", "running", "progress"),
    [
        ([{"id": 0, "n_ctx": 4096, "is_processing": False}, {"id": 1, "is_processing": True}], 1, 0),
        ([{"id": 0, "state": 1, "id_task": 2, "next_token": {"n_decoded": 6}}], 1, 6),  # builds of 2024
        ([{"id": 0, "state": 0, "id_task": 2, "n_decoded": 3}], 0, 3),
    ],
)
def test_slots_of_older_builds_are_read(body, running, progress):
    assert Slots().read(json.dumps(body).encode()) == {"running": running, "progress": progress, "begun": 0}


def test_a_request_that_was_over_between_two_readings_shows_in_the_number_of_its_task():
    def resting(**more):
        return json.dumps([{"id": 0, "is_processing": False, **more}, {"id": 1, "is_processing": False}]).encode()

    slots = Slots()
    looks = [{}, {"id_task": 1}, {"id_task": 1}, {"id_task": 6}, {}, {"id_task": -1}]
    assert [slots.read(resting(**look))["begun"] for look in looks] == [0, 1, 1, 2, 2, 2]


def test_llamas_totals_are_read_and_its_windowed_gauges_are_not():
    text = (
        b"# HELP llamacpp:prompt_tokens_total Number\n# TYPE llamacpp:prompt_tokens_total counter\n"
        b"llamacpp:prompt_tokens_total 1555\nllamacpp:tokens_predicted_total 40\nllamacpp:n_decode_total 47\n"
        b"llamacpp:prompt_tokens_seconds 34.4622\nllamacpp:requests_processing 1\nllamacpp:requests_deferred 0\n"
    )
    assert llama_cpp.metrics(Heard(text, {"process-start-time-unix": "170" * 40})).meter == {
        "running": 1, "waiting": 0, "tokens": 40, "prompt_tokens": 1555, "progress": 47, "start": ("170" * 40)[:64],
    }  # fmt: skip


def test_vllms_engines_are_summed():
    text = (
        b'vllm:num_requests_running{engine="0",model_name="a}b"} 2.0\n'
        b'vllm:num_requests_running{engine="1",model_name="a}b"} 1.0\n'
        b'vllm:generation_tokens_total{engine="0"} 7.0\nvllm:iteration_tokens_total_sum{engine="0"} 19.0\n'
        b"vllm:num_requests_waiting nan\nprocess_start_time_seconds 1.76e+09\n"
    )
    assert vllm.metrics(Heard(text)).meter == {
        "running": 3, "waiting": None, "tokens": 7, "prompt_tokens": None, "progress": 19, "start": "1760000000",
    }  # fmt: skip


PROMETHEUS = b"""# HELP a_total words 9
# TYPE a_total counter
a_total 1.234567e+06
b_total{x="1",y="} 7"} 2.0 1795846236000
b_total{x="a\\"b"}\t3
c_total 7.5
d_total{x="1"} 2
d_total{x="2"} NaN
e_total 4 # {trace_id="t"} 0.5
f_total -3
g_total 1e300
h{open="  5
i_total 6\r
"""


def test_prometheus_text_is_read_once_and_rounded_for_the_watch_alone():
    same = {"a_total": 1234567, "b_total": 5, "e_total": 4, "i_total": 6}
    assert prometheus.numbers(PROMETHEUS) == {**same, "c_total": 8, "d_total": 2}
    assert prometheus.wholes(PROMETHEUS) == same, "what is no whole total is held against nobody"


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"<html>", b"llamacpp:tokens_predicted_total seven"])
def test_a_text_without_a_counter_is_nonsense(text):
    for read in (llama_cpp.metrics, vllm.metrics):
        with pytest.raises(Nonsense):
            read(Heard(text))


@given(JUNK | st.binary(max_size=60))
def test_nothing_but_nonsense_is_ever_raised(junk):
    body = junk if isinstance(junk, bytes) else json.dumps(junk).encode("utf-8", "surrogatepass")
    for kind in detect.found().values():
        for reader in (question.reader() for question in kind.questions):
            with contextlib.suppress(Nonsense):
                assert reader(Heard(body)).meter
        if kind.sign is not None:
            kind.sign.meet(Heard(body), "")
        if kind.about is not None:
            kind.about.read(body)
        assert isinstance(kind.unloaded(body, "m"), str)
    assert all(isinstance(text, str) for text in listed.first_model(body))


def test_the_first_model_and_its_owner():
    body = json.dumps({"data": [{"id": "a", "owned_by": "vllm"}, {"id": "b"}]}).encode()
    assert listed.first_model(body) == ("a", "vllm")


@pytest.mark.parametrize(
    ("kind", "line", "ends"),
    [
        ("llama_cpp", "srv    operator(): operator(): cleaning up before exit...", True),
        ("llama_cpp", "INFO: received signal 15, shutting down", False),
        ("vllm", "INFO:     Application shutdown complete.", True),
        ("vllm", "resource_tracker: 1 leaked shared_memory objects to clean up at shutdown", False),
        ("generic", "cleaning up before exit", False),
        ("generic", "shutting down", False),
    ],
)
def test_a_line_tells_of_an_orderly_end_by_its_kinds_own_words(kind, line, ends):
    assert detect.found()[kind].orderly([line, "", "\udcff"]) == ((line,) if ends else ())
