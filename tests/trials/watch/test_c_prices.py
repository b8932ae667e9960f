"""What a watch costs: no question makes a gateway pay, and nothing is asked of an engine that is not to be asked."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.trials.servers import Small, listed, serving
from tests.trials.tried import Tried, hold
from tests.trials.watch.watched import watching

FOR = "--for=4s"


def gateway(asked: list[str]) -> type[Small]:
    """A gateway as LiteLLM's proxy: its ``/health`` sends a chat to each model behind it; another page is cheap."""
    lock = threading.Lock()

    class Gateway(Small):
        def get(self) -> None:
            page = self.path.partition("?")[0]
            with lock:
                asked.append(f"GET {page}")
            if page == "/health":
                with lock:
                    asked.append("a chat of the model")
                self.answer(200, {"healthy_endpoints": [{"model": "m"}], "unhealthy_endpoints": []})
            elif page == "/health/liveliness":
                self.answer(200, b'"I\'m alive!"')
            elif page == "/v1/models":
                self.answer(200, listed("m"))
            else:
                self.answer(404, {"detail": "Not Found"})

        def post(self) -> None:
            self.asked_for()
            with lock:
                asked.extend((f"POST {self.path}", "a chat of the model"))
            chunk = {"choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": "length"}]}
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())

    return Gateway


def paid(asked: list[str]) -> int:
    return asked.count("a chat of the model")


@pytest.mark.parametrize("canary", ["off", "1h"])
def test_an_idle_gateway_pays_for_what_the_plan_says_and_no_more(tried: Tried, tmp_path, canary):
    asked: list[str] = []
    with serving(gateway(asked)) as url:
        arguments = (f"--endpoint=g={url}", FOR, f"--canary={canary}")
        with watching(tried, tmp_path / "run", *arguments) as watch:
            said = watch.ended()
    planned = 0 if canary == "off" else 1  # the first one is due at once
    hold(paid(asked) == planned, f"looks at its health cost the gateway no chat: {planned} in 4 s", asked)
    hold(said.code == 0, "a gateway that is well is no stop", said.out)
    hold(len(asked) >= 3, "it was looked at all the same", asked)


def test_with_the_canary_off_nothing_is_asked_but_whether_it_is_well_and_both_ends_say_so(tried: Tried, tmp_path):
    asked: list[str] = []

    class Engine(gateway(asked)):  # type: ignore[misc]
        def get(self) -> None:
            self.path = "/nothing" if "liveliness" in self.path else self.path
            super().get()

    with serving(Engine) as url, watching(tried, tmp_path / "run", f"--endpoint=e={url}", FOR, "--canary=off") as watch:
        said = watch.ended()
    first, last = said.out.splitlines()[0], said.out.splitlines()[-1]
    pages: set[Any] = set(asked)
    others = pages - {"GET /health", "GET /nothing", "a chat of the model"}
    hold(not others, "nothing but /health is asked of a server whose engine is not to be asked", pages)
    hold("not observed" in first, "the plan says that the engine is not observed", first)
    hold("not observed" in last, "the last line says that the engine was not observed", last)
    hold("86,400" in first, "the plan tells what the watch costs a day", first)


def test_the_plan_tells_requests_and_tokens_of_a_day(tried: Tried, tmp_path):
    asked: list[str] = []
    with serving(gateway(asked)) as url, watching(tried, tmp_path / "run", f"--endpoint=g={url}", "--for=1s") as watch:
        first = watch.ended().out.splitlines()[0]
    hold("8,640 chats" in first, "the plan tells how many chats a day the watch sends", first)
    hold("tokens" in first, "the plan tells how many tokens a day that may be", first)
