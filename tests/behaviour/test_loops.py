"""The detectors on texts whose truth is known: how often they cry wolf, and how often they miss one."""

import importlib
import inspect
import sys
import time
from random import Random

import pytest

from seatrial.behaviour.answers import read
from seatrial.behaviour.probes.talk import loops
from seatrial.statistics.intervals import wilson
from tests.behaviour.specimens import clean, drifting, exchange, fuzzy, looping, said

TEXTS = 120
PERIODS = (4, 8, 20, 47, 48, 60, 100, 150)
LOUD = ("argparse", "asyncio", "collections", "configparser", "datetime", "decimal", "difflib", "email", "fractions",
    "functools", "http.client", "imaplib", "inspect", "ipaddress", "itertools", "logging", "mailbox", "multiprocessing",
    "optparse", "pathlib", "pickle", "plistlib", "pprint", "random", "sched", "shlex", "smtplib", "socket", "ssl",
    "statistics", "string", "subprocess", "tarfile", "tempfile", "textwrap", "threading", "tokenize", "unittest",
    "urllib.request", "uuid", "zipfile")  # fmt: skip


def missed(makes, period: int, rule: str = "") -> float:
    """Upper end of the 95 % interval of misses over seeded loops."""
    found = [loops.look(makes(Random(f"{makes.__name__}/{period}/{i}"), period), ended=False) for i in range(TEXTS)]
    misses = sum(f is None or f.word != "loop" or not f.how.startswith(rule) for f in found)
    return wilson(misses, TEXTS)[1]


@pytest.mark.parametrize("period", [1, *PERIODS])
def test_exact_loops_are_found_by_r1(period):
    assert missed(looping, period, "R1") < 0.035


@pytest.mark.parametrize("period", PERIODS)
def test_loops_with_a_counter_are_found(period):
    assert missed(drifting, period) < 0.035


@pytest.mark.parametrize("period", [8, 20, 60, 150])
def test_loops_that_swap_a_word_are_found_by_r3_in_long_answers(period):
    assert missed(fuzzy, period) < 0.035


def test_clean_prose_is_no_loop_and_not_suspect():
    texts = [clean(Random(f"clean/{i}"), 200 + 5 * i) for i in range(TEXTS)]
    alarms = sum(loops.look(text, ended=False) is not None for text in texts)
    assert wilson(alarms, TEXTS)[1] < 0.035


def test_what_people_wrote_is_no_loop_and_seldom_suspect():
    """Documentation holds the tables and numbered examples that spoil detectors; probes ask for none."""
    things = [
        thing
        for name in LOUD
        for module in [importlib.import_module(name)]
        for thing in [module, *vars(module).values()]
    ]
    docs = {
        inspect.getdoc(thing)
        for thing in things
        if inspect.isclass(thing) or inspect.isroutine(thing) or inspect.ismodule(thing)
    }
    texts = sorted(doc for doc in docs if doc and len(loops.words(doc)) >= 100)
    assert len(texts) >= 100, sys.version
    found = [loops.look(text, ended=True) for text in texts]
    assert not [f for f in found if f and f.word == "loop"]
    assert wilson(sum(f is not None for f in found), len(found))[1] < 0.06


def test_a_loop_shorter_than_48_words_is_none():
    assert loops.look("Ha! " * 23, ended=True) is None
    assert loops.look("Ha! " * 24, ended=True).word == "loop"


@pytest.mark.parametrize("unit", ["好", "的好", "ha", "!", "\n", "=", "🎉", "abc"])
def test_loops_without_spaces_are_found(unit):
    assert loops.look("So it is. " + unit * (800 // len(unit)), ended=True).word == "loop"


def test_a_loop_that_was_left_again_is_suspect_only_where_the_answer_ended_by_itself():
    text = looping(Random("left"), 8) + " " + clean(Random("rest"), 60)
    assert loops.look(text, ended=True).word == "suspect"
    assert loops.look(text, ended=False).word == "loop"


@pytest.mark.parametrize(
    ("finish", "word"), [("stop", "suspect"), ("length", "loop"), ("repetition", "loop"), (None, "loop")]
)
def test_a_drifting_loop_counts_unless_the_answer_ended_by_itself(finish, word):
    found = loops.examine(read(said(drifting(Random("word"), 12), finish)))
    assert found.word == word


def test_reasoning_tool_calls_and_the_servers_own_guard_are_looked_at():
    loop = looping(Random("where"), 9)
    assert loops.examine(read(said("42", reasoning=loop))).how.endswith("in reasoning")
    call = {"index": 0, "function": {"name": "look", "arguments": '{"at":1}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call | {"index": i} for i in range(3)]}
    answer = read(exchange(json={"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}))
    assert loops.examine(answer).how == '3 times look({"at":1}) in tool calls'
    guarded = exchange(status=500, json={"error": {"message": "prediction aborted, token repeat limit reached"}})
    assert "guard" in loops.examine(read(guarded)).how


@pytest.mark.parametrize(
    "text",
    ["ab " * 10**6, " ".join(map(str, range(10**5))), "x" * 10**6, ("a " * 255 + "b ") * 2000, "\x00\ud800" * 10**6],
    ids=["periodic", "numbers", "one-word", "nearly", "controls"],
)  # fmt: skip
def test_a_giant_text_costs_little(text):
    began = time.process_time()
    loops.look(text, ended=False)
    assert time.process_time() - began < 2.0
