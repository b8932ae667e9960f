"""The plan of a watch: who answers, what a day of it costs, and what the recorder is told of the first look."""

from __future__ import annotations

import msgspec

from seatrial.records import Endpoint
from seatrial.records.targets import Harm
from seatrial.watching import plan, starting
from seatrial.watching.settings import WatchSettings
from seatrial.wire.transports.bystanders import Bystanders

URL = "http://127.0.0.1:8080/v1"
PAGE = Endpoint(name="a", url=URL, kind="generic", model="m", models=("m",))
UNKNOWN = Endpoint(name="a", url=URL, kind="generic", model="", models=())


def line(page=PAGE, *, answers=True, trouble="", **settings):
    return plan.of_endpoint("a", page, WatchSettings(**settings), answers=answers, trouble=trouble)


def test_it_tells_requests_and_tokens_of_a_day():
    assert line(msgspec.structs.replace(PAGE, kind="vllm")) == (
        f"a  {URL}  vllm, model m, a canary every 10 s; a day: up to 172,800 looks at pages that cost nothing, "
        "8,640 chats of one token each, about 172,800 tokens"
    )
    assert line() == (
        f"a  {URL}  generic, model m, a canary every 10 s; a day: up to 172,800 looks at pages, "
        f"8,640 chats of one token each, about 172,800 tokens; {plan.UNPRICED}"
    )
    assert "86,400 chats of one token each, about 1,728,000 tokens" in line(canary_s=1.0)


def test_of_one_that_does_not_answer_yet_it_tells_what_it_will_cost():
    text = line(UNKNOWN, answers=False, trouble="does not answer yet (refused)")
    assert "a canary every 10 s" in text
    assert text.endswith("; does not answer yet (refused)")


def test_without_a_canary_no_token_is_planned():
    text = line(canary_s=0)
    assert "nothing is asked of its engine, which is not observed (--canary=off)" in text
    assert text.endswith(f"a day: 86,400 looks at its health page, 0 chats, 0 tokens; {plan.UNPRICED}")


def test_what_became_of_others_at_the_first_look_is_known_to_the_recorder():
    company = Bystanders(frozenset)
    company.judge("/chat/completions", 0)
    looked = {"a": starting.Looked(PAGE, company=company)}
    (order,) = starting.watched(WatchSettings(endpoints={"a": URL}), looked)
    assert order.harm == Harm(cuts=1, ended=((1.0, 0.0), (0.0, 0.0)))
