"""What the live proofs hold against what: no server is asked here, and no time passes."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.records import SECOND
from tests.live import page
from tests.live.proofs import PROOFS, Truth
from tests.live.sailing import NAME, Seen, held_against

START = 1000 * SECOND
ON = START + 240 * SECOND

TEXTS = {
    "leak": "memory: +5.57e+03 MB/h (95 %: 5.4e+03 to 5.7e+03), 1.03e+03 kB a request, since 00:03 h of the soak",
    "slower": "decode step: -13 % from one moment on, since 00:04 h of the soak",
    "cut": "2 of 3950 streams: ended before the framing of its body did (truncated): load1-7, load1-9, since 00:05 h "
    "of the soak",
    "no-terminator": "2 of 3950 streams: ended without [DONE] (no_terminator): load1-7, since 00:05 h of the soak",
    "error": "2 of 3950 requests: sse_error: load1-7, load1-9, since 00:05 h of the soak: the engine failed",
    "log": "log: 10413 lines a second, more than 1000 for 470 s, since 00:04 h of the soak",
    "cache": "prompt cache: -81 points of 100 from one moment on, since 00:04 h of the soak",
}
"""As the reasons of verdict.json tell each fault."""


def told(at: int, prompt: int, cached: int, *faults: str) -> dict[str, Any]:
    return {"first_at": at, "prompt_tokens": prompt, "cached_tokens": cached, "faults": list(faults)}


TRUTH = Truth(
    ON, (told(ON - SECOND, 2000, 1640), told(ON + 70 * SECOND, 2000, 20, "cut"), told(ON + 90 * SECOND, 30, 0)), 2
)


def seen(name: str, **more: Any) -> Seen:
    """A soak that came to what the proof is about; ``more`` stands in the place of parts of its verdict."""
    proof = PROOFS[name]
    outcomes = dict.fromkeys(
        (f"soak/{rule}[closed]@{NAME}" for rule in ("streams-terminate", "files-do-not-grow")), "PASS"
    )
    case = f"soak/{proof.rule}[closed]@{NAME}"
    outcomes |= {case: "FAIL"} if proof.rule else {}
    outcomes |= {f"soak/gpu-memory-does-not-grow[closed]@{NAME}": "UNSUPPORTED"}
    stop = {"family": "WEDGED", "alive_at": ON + 2 * SECOND, "until": ON + 60 * SECOND}
    text = more.pop("text", TEXTS.get(name, ""))
    figures = {"soak": more.pop("soak", "ran 720 s, requests 1200")}
    verdict = {
        "endpoints": {NAME: {"figures": figures, "reasons": [{"case": case, "text": text}]}},
        "outcomes": outcomes | {f"soak/{rule}[closed]@{NAME}": word for rule, word in more.pop("outcomes", {}).items()},
        "stops": [stop] if proof.stop else [],
        **more,
    }
    return Seen(verdict, TRUTH, START, 1200)


@pytest.mark.parametrize("name", PROOFS)
def test_what_is_told_as_it_was_holds(name: str) -> None:
    found = held_against(PROOFS[name], seen(name))
    assert found.wrong == []
    assert page.line(PROOFS[name], seen(name), found, 12).endswith("| holds |")


@pytest.mark.parametrize("name", TEXTS)
def test_another_size_another_time_or_none_is_wrong(name: str) -> None:
    text = TEXTS[name]
    later = text.replace("since 00:0", "since 00:1")
    assert [w.split(",")[0] for w in held_against(PROOFS[name], seen(name, text=later)).wrong] == [
        f"since {60 * int(text.partition('since 00:0')[2][0]) + 600} s"
    ]
    size = {"leak": ("1.03e+03 kB", "600 kB"), "log": ("10413", "3000")}.get(name, ("-13 %", "-8 %"))
    smaller = text.replace(*size).replace("2 of", "1 of").replace("-81 p", "-40 p")
    assert len(held_against(PROOFS[name], seen(name, text=smaller)).wrong) == 1
    assert len(held_against(PROOFS[name], seen(name, text="something")).wrong) == 2


@pytest.mark.parametrize("name", PROOFS)
def test_whatever_else_is_called_is_wrong(name: str) -> None:
    found = held_against(PROOFS[name], seen(name, outcomes={"threads-do-not-grow": "ADVISORY"}))
    assert found.wrong == ["threads-do-not-grow is ADVISORY"]
    stopped = [{"family": "STOPPED", "alive_at": ON, "until": None}, *seen(name).verdict["stops"]]
    assert held_against(PROOFS[name], seen(name, stops=stopped)).wrong == ["a stop STOPPED"]
    assert held_against(PROOFS[name], seen(name, outcomes={"x": "INCONCLUSIVE"})).wrong == ["x is INCONCLUSIVE"]


@pytest.mark.parametrize("name", [name for name, proof in PROOFS.items() if proof.rule])
def test_a_fault_that_is_not_called_is_wrong(name: str) -> None:
    found = held_against(PROOFS[name], seen(name, outcomes={PROOFS[name].rule: "PASS"}))
    assert found.wrong == [f"{PROOFS[name].rule} is PASS"]


def test_a_stall_of_another_length_and_one_that_nobody_saw_are_wrong() -> None:
    short = {"family": "WEDGED", "alive_at": ON, "until": ON + 20 * SECOND}
    assert held_against(PROOFS["stall"], seen("stall", stops=[short])).wrong == ["20 s, not 60"]
    assert held_against(PROOFS["stall"], seen("stall", stops=[])).wrong == ["0 stops of WEDGED"]
    assert held_against(PROOFS["stall"], seen("stall", stops=[{**short, "until": None}])).wrong == [
        "the stop has no end"
    ]


def test_a_load_that_kept_no_times_shows_only_what_the_record_proves() -> None:
    busy = "no verdict, for requests left 90 ms late (99th percentile; at most 50), ran 720 s"
    open_ = {"pace-does-not-decay": "INCONCLUSIVE"}
    found = held_against(PROOFS["leak"], seen("leak", soak=busy, outcomes=open_))
    assert (found.wrong, found.unclear) == ([], "requests left 90 ms late (99th percentile; at most 50)")
    assert "| holds; of what was measured no verdict" in page.line(PROOFS["leak"], seen("leak"), found, 12)
    slower = held_against(PROOFS["slower"], seen("slower", soak=busy, outcomes={"pace-does-not-drop": "INCONCLUSIVE"}))
    assert "| unclear: requests left" in page.line(PROOFS["slower"], seen("slower"), slower, 12)
