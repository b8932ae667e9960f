"""The engine of a golden process: slots, a queue, and one loop that alone knows them, as in llama.cpp."""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

from pace import pace  # beside this script

STEP_S = 0.03
"""One pass of the loop: one token for each running request."""
WORDS = ("the", "harbour", "lay", "still", "and", "every", "boat", "came", "home", "before", "a", "storm")


class Job:
    """One chat: its tokens come out of ``out``; None ends it."""

    def __init__(self, tokens: int, prefill: float, how: str) -> None:
        self.tokens, self.prefill, self.how = tokens, prefill, how
        self.out: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.decoded = 0
        self.read = 0  # tokens of its prompt
        self.until = 0.0  # its prompt has been read by then
        self.cancelled = False


class Engine(threading.Thread):
    """The loop. ``ask`` is answered by it alone, so that an answer shows that it turns."""

    def __init__(self, slots: int) -> None:
        super().__init__(daemon=True)
        self.slots: list[Job | None] = [None] * slots
        self.waiting: list[Job] = []
        self.tasks: list[tuple[threading.Event, dict[str, Any]]] = []
        self.change = threading.Condition()
        self.go = threading.Event()
        self.go.set()
        self.wedged = threading.Event()
        self.prefill, self.how = 0.0, "burn"
        self.asleep, self.load_s = False, 0.0
        self.tokens = self.prompt_tokens = 0
        self.start()

    def submit(self, tokens: int) -> Job:
        """Queue a chat."""
        job = Job(tokens, self.prefill, self.how)
        with self.change:
            self.waiting.append(job)
            self.change.notify()
        return job

    def ask(self) -> dict[str, Any]:
        """What the loop says of itself; waits for it, for ever if need be."""
        done, found = threading.Event(), dict[str, Any]()
        with self.change:
            self.tasks.append((done, found))
            self.change.notify()
        done.wait()
        return found

    def wedge(self) -> None:
        """Block the loop, as on a lock that nobody gives back."""
        self.go.clear()
        with self.change:
            self.change.notify()
        self.wedged.wait(5)

    def run(self) -> None:
        """For ever."""
        while True:
            with self.change:
                while not (self.waiting or self.tasks or any(self.slots)) and self.go.is_set():
                    self.change.wait()
            if not self.go.is_set():
                self.wedged.set()
                self.go.wait()
                self.wedged.clear()
            self._answer()
            self._admit()
            if any(self.slots):
                self._step()

    def _answer(self) -> None:
        with self.change:
            tasks, self.tasks = self.tasks, []
        for done, found in tasks:
            found["slots"] = [_slot(n, job) for n, job in enumerate(self.slots)]
            found |= {"waiting": len(self.waiting), "tokens": self.tokens, "prompt_tokens": self.prompt_tokens}
            done.set()

    def _admit(self) -> None:
        for n, job in enumerate(self.slots):
            if job is None and self.waiting:
                if self.asleep:  # loading the model again
                    self.go.wait()
                    _burn(self.load_s)
                    self.asleep = False
                self.slots[n] = fresh = self.waiting.pop(0)
                if fresh.how == "burn":
                    _burn(fresh.prefill)
                    fresh.prefill = 0.0
                fresh.until = time.monotonic() + fresh.prefill

    def _step(self) -> None:
        pace(STEP_S)
        for n, job in enumerate(self.slots):
            if job is None:
                continue
            if job.cancelled or job.decoded >= job.tokens:
                job.out.put(None)
                self.slots[n] = None
            elif time.monotonic() < job.until:
                job.read += 8
                self.prompt_tokens += 8
            else:
                job.out.put(WORDS[job.decoded % len(WORDS)])
                job.decoded += 1
                self.tokens += 1


def _burn(seconds: float) -> None:
    """Use the processor, as a prefill on it does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(2000))


def _slot(n: int, job: Job | None) -> dict[str, Any]:
    busy = job is not None
    return {
        "id": n,
        "id_task": n if busy else -1,
        "n_ctx": 2048,
        "is_processing": busy,
        "n_prompt_tokens_processed": job.read if job else 0,
        "next_token": [{"n_decoded": job.decoded if job else 0, "has_next_token": busy}],
    }
