"""Damaged copies of whole run directories, judged by the tree on trial, and what may not come of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.ending import ending
from tests.trials.tried import Tried, hold
from tests.trials.verdicts.damages import DAMAGES, SECRET, Foreign
from tests.trials.verdicts.recorded import LARGE, resigned

BATCH = Path(__file__).with_name("batch.py")
BESIDE = shutil.ignore_patterns("allure-results", "report.*")
"""What is made of a record stands beside it, and is not read."""
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TOLD = re.compile(
    r"damaged|torn|unknown to this version|missing|no end|no heartbeat|cannot be|NOT_EXECUTED [1-9]|ERROR"
)


@dataclass(frozen=True)
class Whole:
    """A whole run: its path, and what the tree on trial says of it.

    Attributes:
        sums: any change shows, for its lines bear sums. A run of an older version bears none; any other is signed
            again after each damage.
        out: what was said of it.
    """

    path: Path
    exit: int
    verdict: dict[str, Any]
    sums: bool = True
    out: str = ""


@dataclass
class Damaged:
    """A copy that was damaged.

    Attributes:
        by: the damages that changed its tree; none where nothing was left to damage in this way.
    """

    whole: Whole
    path: Path
    what: str
    by: frozenset[str]
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
    with ending(tried.start(str(BATCH), str(warm), str(asked), str(answered))) as process:
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
        assert not (sums and (words := _told(out))), f"{path.name} is whole, and yet told as {words}: {out}"
        found.append(Whole(path, code, verdict, sums, out))
    return found


def damaged(folder: Path, runs: list[Whole], foreign: Foreign, numbers: range, seed: int) -> list[Damaged]:
    """A copy for each number, damaged in one way, some in two.

    Links lead to a copy of what is foreign: a second damage may go through them.
    """
    made = []
    for number in numbers:
        draw = random.Random(f"{seed}/{number}")
        whole = runs[number % len(runs)]
        path = folder / f"run-{number}"
        shutil.copytree(whole.path, path, ignore=BESIDE)
        outside = replace(foreign, run=shutil.copytree(foreign.run, folder / f"foreign-{number}", ignore=BESIDE))
        names = [list(DAMAGES)[(number // len(runs)) % len(DAMAGES)]]
        if draw.random() < 0.2:
            names.append(draw.choice(list(DAMAGES)))
        said, by, before = [], set(), tree_of(path)
        for name in names:
            try:
                said.append(f"{name}: {DAMAGES[name](path, draw, outside)}")
            except (OSError, ValueError, IndexError, MemoryError) as error:  # nothing is left to damage in this way
                said.append(f"{name}: {error}")
            after = tree_of(path)
            by |= {name} if after != before else set()
            before = after
        if by and not whole.sums:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):  # too much is damaged
                resigned(path)
        made.append(Damaged(whole, path, f"{whole.path.name} run-{number}, {'; '.join(said)}", frozenset(by)))
    return made


def tree_of(run: Path) -> dict[str, object]:
    """What stands in a run directory: of each name its kind, and its content or where it leads."""
    found: dict[str, object] = {}
    for path in run.rglob("*"):
        told = path.lstat()
        content: object = None
        if stat.S_ISLNK(told.st_mode):
            content = path.readlink()
        elif stat.S_ISREG(told.st_mode):
            content = told.st_size if told.st_size > LARGE else hashlib.sha256(path.read_bytes()).digest()
        found[str(path.relative_to(run))] = (told.st_mode, content)
    return found


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
    if not each.by and (each.code, each.verdict["outcomes"]) != (each.whole.exit, each.whole.verdict["outcomes"]):
        return f"nothing was damaged, and it is judged otherwise: exit {each.code}: {out[-900:]}"
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
        if word in {"FAIL", "PASS"} and whole["outcomes"].get(case) != word:
            return f"{case} is {word}, where the whole run gives {whole['outcomes'].get(case)}"
    known = {(stop["name"], stop["family"], stop.get("pid")) for stop in whole.get("stops", ())}
    told = [stop for stop in mine.get("stops", ()) if stop["family"] != "UNOBSERVED" and not stop.get("doubt")]
    for stop in told:
        if (stop["name"], stop["family"], stop.get("pid")) not in known and not stop.get("planned"):
            return f"a stop of the damage: {stop['family']} of {stop['name']}"
    other = {case for case, word in whole["outcomes"].items() if mine["outcomes"].get(case) != word}
    if (other or each.code != each.whole.exit) and not _told(each.out):
        return f"{len(other)} cases are other, and no line says why: {each.out[-900:]}"
    return ""


def _told(out: str) -> list[str]:
    """The words by which damage is told; paths of what was written, which bear the name of the trial, are no such."""
    return _TOLD.findall("\n".join(line for line in out.splitlines() if not line.startswith(("report ", "written "))))


def complaints(runs: list[Damaged]) -> list[str]:
    return [f"{each.what}: {said}" for each in runs if (said := wrong(each))]
