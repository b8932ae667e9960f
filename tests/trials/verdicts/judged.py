"""Damaged copies of whole run directories, judged by the tree on trial, and what may not come of it."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.trials.tried import Tried, hold
from tests.trials.verdicts.damages import DAMAGES, SECRET, Foreign

BATCH = Path(__file__).with_name("batch.py")
BESIDE = shutil.ignore_patterns("allure-results", "report.*")
"""What is made of a record stands beside it, and is not read."""
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TOLD = re.compile(r"damaged|torn|unknown to this version|missing|no end|cannot be|NOT_EXECUTED [1-9]|ERROR")


@dataclass(frozen=True)
class Whole:
    """A whole run: its path, and what the tree on trial says of it.

    Attributes:
        sums: its lines bear sums, so that any change shows; a run of an older version bears none.
    """

    path: Path
    exit: int
    verdict: dict[str, Any]
    sums: bool = True


@dataclass
class Damaged:
    """A copy that was damaged."""

    whole: Whole
    path: Path
    what: str
    code: int = 0
    out: str = ""
    late: bool = False
    verdict: dict[str, Any] = field(default_factory=dict)

    def read(self, answer: tuple[int, str, bool]) -> None:
        self.code, self.out, self.late = answer
        try:
            self.verdict = json.loads((self.path / "verdict-rejudged.json").read_text())
        except (OSError, ValueError):
            self.verdict = {}


def run_all(
    tried: Tried, folder: Path, warm: Path, jobs: list[list[str]], timeout_s: float = 3000
) -> list[tuple[int, str, bool]]:
    """The exit code of every command line, its output, and whether it had to be ended; ``warm`` is judged before."""
    asked, answered = folder / "jobs.json", folder / "answers.json"
    asked.write_text(json.dumps(jobs))
    with tried.start(str(BATCH), str(warm), str(asked), str(answered)) as process:
        out, _ = process.communicate(timeout=timeout_s)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, str(BATCH), out)
    return [tuple(answer) for answer in json.loads(answered.read_text())]


def wholes(tried: Tried, folder: Path, paths: list[tuple[Path, bool]]) -> list[Whole]:
    """What is said of undamaged copies."""
    copies = [shutil.copytree(path, folder / f"whole-{n}") for n, (path, _) in enumerate(paths)]
    answers = run_all(tried, folder, paths[0][0], [["judge", str(copy), "--write"] for copy in copies])
    found = []
    for (path, sums), copy, (code, out, _) in zip(paths, copies, answers, strict=True):
        hold((copy / "verdict-rejudged.json").is_file(), "a whole run is judged", out[-2000:])
        verdict = json.loads((copy / "verdict-rejudged.json").read_text())
        found.append(Whole(path, code, verdict, sums))
    return found


def damaged(folder: Path, runs: list[Whole], foreign: Foreign, numbers: range, seed: int) -> list[Damaged]:
    """A copy for each number, damaged in one way, some in two."""
    made = []
    for number in numbers:
        draw = random.Random(f"{seed}/{number}")
        whole = runs[number % len(runs)]
        path = folder / f"run-{number}"
        shutil.copytree(whole.path, path, ignore=BESIDE)
        names = [list(DAMAGES)[(number // len(runs)) % len(DAMAGES)]]
        if draw.random() < 0.2:
            names.append(draw.choice(list(DAMAGES)))
        said = []
        for name in names:
            try:
                said.append(f"{name}: {DAMAGES[name](path, draw, foreign)}")
            except (OSError, ValueError, IndexError) as error:  # nothing is left to damage in this way
                said.append(f"{name}: {error}")
        made.append(Damaged(whole, path, f"{whole.path.name} run-{number}, {'; '.join(said)}"))
    return made


def wrong(each: Damaged) -> str:
    """What is wrong in what was said of a damaged run; empty where nothing is."""
    return _fallen(each) or _printed(each.out) or _word(each)


def _fallen(each: Damaged) -> str:
    out = each.out
    if each.late:
        return "it hangs"
    if "Traceback" in out or "itself fell over" in out or each.code not in {0, 1, 4, 10}:
        return f"a traceback, exit {each.code}: {out[-600:]}"
    return ""


def _printed(out: str) -> str:
    if _OBEYED.search(out) or any("\udc00" <= c <= "\udfff" for c in out):
        return f"what a terminal obeys: {_OBEYED.findall(out)[:5]}"
    if SECRET in out:
        return "the content of a file outside"
    return ""


def _word(each: Damaged) -> str:
    out = each.out
    if each.code == 4:
        of_run = "run.json" in out or "no run directory" in out
        one = out.startswith("ERROR: ") and out.count("\n") == 1
        return "" if of_run and one else f"exit 4, which only run.json may cost: {out[-400:]}"
    if not each.verdict:
        return f"no verdict, exit {each.code}: {out[-400:]}"
    return _worse(each) if each.whole.sums else ""


def _worse(each: Damaged) -> str:
    """A word that the whole run would not give, or one that is other and not told."""
    mine, whole = each.verdict, each.whole.verdict
    if each.code in {0, 1} and each.code != each.whole.exit:
        return f"exit {each.code}, where the whole run gives {each.whole.exit}: {each.out[-900:]}"
    for name, told in mine["endpoints"].items():
        before = whole["endpoints"].get(name, {}).get("verdict", "none")
        if told["verdict"] != "NOT PROVEN" and told["verdict"] != before:
            return f"{name} is {told['verdict']}, where the whole run gives {before}"
    for case, word in mine["outcomes"].items():
        if word == "FAIL" and whole["outcomes"].get(case) != "FAIL":
            return f"{case} is FAIL, where the whole run gives {whole['outcomes'].get(case)}"
    known = {(stop["name"], stop["family"], stop.get("pid")) for stop in whole.get("stops", ())}
    told = [stop for stop in mine.get("stops", ()) if stop["family"] != "UNOBSERVED" and not stop.get("doubt")]
    for stop in told:
        if (stop["name"], stop["family"], stop.get("pid")) not in known and not stop.get("planned"):
            return f"a stop of the damage: {stop['family']} of {stop['name']}"
    other = {case for case, word in whole["outcomes"].items() if mine["outcomes"].get(case) != word}
    if (other or each.code != each.whole.exit) and not _TOLD.search(each.out):
        return f"{len(other)} cases are other, and no line says why: {each.out[-900:]}"
    return ""


def complaints(runs: list[Damaged]) -> list[str]:
    return [f"{each.what}: {said}" for each in runs if (said := wrong(each))]
