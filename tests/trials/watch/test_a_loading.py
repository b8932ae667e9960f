"""Nothing that is seen at the first look holds for the whole watch."""

from __future__ import annotations

from pathlib import Path

from tests.trials.servers import Small, listed, serving
from tests.trials.tried import Tried, hold
from tests.trials.watch.watched import watching


def test_a_watch_begun_while_a_server_loads_sends_canaries_once_it_is_ready(tried: Tried, tmp_path: Path) -> None:
    state = {"loads": True, "chats": 0}

    class Handler(Small):
        def get(self) -> None:
            loads = {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}
            ready = {"status": "ok"} if self.path == "/health" else listed("m")
            self.answer(503 if state["loads"] else 200, loads if state["loads"] else ready)

        def post(self) -> None:
            self.asked_for()
            state["chats"] += 1
            self.answer(500, {"error": {"message": "generate() failed"}})

    with (
        serving(Handler) as url,
        watching(tried, tmp_path / "run", f"--endpoint=a={url}", "--canary=1s", "--wedged=2s") as watch,
    ):
        watch.until(lambda: "watching a" in watch.out, "the watch begins")
        watch.until(lambda: watch.lines("probe", "a", health=503), "it is seen to load")
        hold(state["chats"] == 0, "nothing is asked while it loads", state)
        state["loads"] = False
        watch.until(lambda: state["chats"] >= 2, "canaries are sent once it is ready", 15)
        watch.end()
