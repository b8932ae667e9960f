"""The start of a suite at a gateway whose looks cost model calls: no more comes to its backend than the plan said."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

import pytest

from tests.faults.processes import free_port
from tests.middles.middles import LiteLLM
from tests.middles.programs import Programs
from tests.trials.servers import Small, listed, serving
from tests.trials.tried import Said, Tried, hold
from tests.trials.watch.test_c_prices import gateway, paid

MODELS = ("suites/conformance/test_models.py", "suites/conformance/test_chat.py", "--wait=20s", "--hazard=polite")
PROGRAMS = "SEATRIAL_MIDDLES"
"""Names a folder where the real gateway is installed, or will be; a folder of the trial's own where it is not set."""


def planned(said: Said) -> int:
    """Requests that its plan tells, those of the start among them; what is not told is none.

    Raises:
        Wrong: it tells none at all.
    """
    told = re.search(r"(\d+) requests and \d+ tokens", said.out)
    hold(told, "the plan tells how many requests will be sent", said.out[:2000])
    start = re.search(r"the start adds at most (\d+) chats", said.out)
    return int(told[1]) + (int(start[1]) if start else 0)


def chats_stay_within(said: Said, chats: int) -> None:
    """Of the backend's chats none is more than the plan said."""
    most = planned(said)
    hold(
        0 < chats <= most,
        f"at most {most} chats come to the backend, as the plan says",
        f"{chats}; {said.block[-900:]}",
    )


def test_a_dry_run_costs_no_chat(tried: Tried, tmp_path):
    asked: list[str] = []
    with serving(gateway(asked)) as url:
        said = tried.suite(tmp_path / "run", *MODELS, f"--endpoint={url}", "--dry-run")
    hold(paid(asked) == 0, "a dry run costs the gateway no chat", asked)
    hold("the start adds at most 5 chats" in said.out, "the plan tells what the start costs", said.out[:2000])


def test_the_start_of_a_suite_costs_what_the_plan_said(tried: Tried, tmp_path):
    """A small gateway: its ``/health`` calls the model, and it answers every chat with a word."""
    asked: list[str] = []
    with serving(gateway(asked)) as url:
        said = tried.suite(tmp_path / "run", *MODELS, f"--endpoint={url}")
    hold(
        "GET /health" not in asked,
        "the page that has a price is not asked",
        [each for each in asked if "health" in each],
    )
    chats_stay_within(said, paid(asked))


class Backend(Small):
    """Answers every chat at once with the same words, and counts them."""

    chats: list[str]

    def get(self) -> None:
        self.answer(200 if self.path == "/v1/models" else 404, listed("m"))

    def post(self) -> None:
        self.chats.append(self.asked_for().decode(errors="replace"))
        message = {"role": "assistant", "content": "Hello"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
        told = {"id": "c", "object": "chat.completion", "created": 1_760_000_000, "model": "m"}
        self.answer(200, {**told, "choices": [choice], "usage": usage})


@pytest.mark.long
def test_the_start_at_the_real_litellm_costs_what_the_plan_said(tried: Tried, tmp_path):
    """The gateway itself, in an environment of its own; its backend counts what comes."""
    chats: list[str] = []
    counting = type("Counting", (Backend,), {"chats": chats})
    programs = Programs(Path(os.environ.get(PROGRAMS) or tmp_path / "programs"))
    with serving(counting) as url:
        middle = LiteLLM(programs, tmp_path, free_port(random.Random()), "m")
        try:
            middle.start(int(url.rpartition(":")[2]))
            before = len(chats)
            said = tried.suite(tmp_path / "run", *MODELS, f"--endpoint=http://127.0.0.1:{middle.port}")
        finally:
            middle.close()
    print(f"the plan said {planned(said)} requests; {len(chats) - before} chats came to the backend")
    chats_stay_within(said, len(chats) - before)
