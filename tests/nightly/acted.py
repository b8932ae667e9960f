"""Nights whose runs are acted: a small program in pytest's place leaves what a run leaves, as it was told."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from seatrial.nightly import config as configs
from seatrial.nightly import night
from seatrial.records import Nightly, NightsKept

HOOK = """#!/bin/sh
n=$(ls -d {folder}/hook.*.json 2>/dev/null | wc -l)
cat > {folder}/hook.$n.json
env > {folder}/hook.$n.env
{more}
"""

PROGRAM = textwrap.dedent('''
    """Acts a run: ``RUN ENDPOINT PLAN``. What it does stands in the plan, by endpoint; taken off its head."""
    import json, os, pathlib, signal, sys, time

    run, name, file = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    plan = json.loads(file.read_text())
    step = plan[name].pop(0)
    file.write_text(json.dumps(plan))
    print("acting", step)
    if "refuses" in step:
        print("ERROR: " + step["refuses"])
        sys.exit(4)
    (run / "endpoints").mkdir(parents=True)
    page = {"name": name, "url": "http://h:1/v1", "kind": "generic", "model": step.get("model", "m"), "build": "b1"}
    (run / "endpoints" / (name + ".json")).write_text(json.dumps(page))
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    info = {"id": run.name, "started": started, "options": {}, "addopts": os.environ.get("PYTEST_ADDOPTS", "")}
    (run / "run.json").write_text(json.dumps(info))
    link = run.parent / "latest"
    link.unlink(missing_ok=True)
    link.symlink_to(run.name)
    if "earlier" in step:
        (run / "previous.json").write_text(json.dumps({name: step["earlier"]}))
    if "waits" in step:
        def end(*_):
            raise SystemExit(2)
        signal.signal(signal.SIGINT, end)
        pathlib.Path(step["waits"]).write_text(str(os.getpid()))
        while True:
            signal.pause()
    if "signal" in step:
        os.kill(os.getpid(), step["signal"])
    word = step["word"]
    code = {"READY": 0, "NOT READY": 1, "NOT PROVEN": 10}[word]
    cases = step.get("cases", {"a/x[s]": "PASS"})
    verdict = {
        "v": 2, "run": run.name, "exit": code, "outcomes": {case + "@" + name: said for case, said in cases.items()},
        "endpoints": {name: {"verdict": word, "reasons": step.get("reasons", []), "figures": {},
                             "counts": {"PASS": 1, "FAIL": int(word == "NOT READY")}}},
    }
    (run / "verdict.json").write_text(json.dumps(verdict))
    sys.exit(code)
''')


class Acted:
    """A job over a folder of its own.

    Args:
        folder: of the test.
        endpoints: their names.
        more: further lines of the file's head.
        hook: further lines of the hook's script; None: there is no hook.
    """

    def __init__(self, folder: Path, monkeypatch: Any, endpoints: tuple[str, ...] = ("e",), more: str = "",
                 hook: str | None = "") -> None:  # fmt: skip
        self.folder = folder
        (folder / "suites").mkdir()
        (folder / "conftest.py").touch()
        self.file, self.plan, program = folder / "job.toml", folder / "plan.json", folder / "acts.py"
        program.write_text(PROGRAM)
        lines = ['directory = "d"', 'suites = ["suites"]', 'textfile = "s.prom"', more]
        if hook is not None:
            script = folder / "hook.sh"
            script.write_text(HOOK.format(folder=folder, more=hook))
            script.chmod(0o755)
            lines.append(f'hook = "{script}"')
        # acted ones have no address: the lock of a host and port is another test's
        lines += [
            f'[[endpoint]]\nname = "{name}"\nurl = "http://127.0.0.1:{n + 1}"' for n, name in enumerate(endpoints)
        ]
        self.file.write_text("\n".join(lines))
        self.said: list[str] = []
        monkeypatch.setattr(
            night.child,
            "words",
            lambda target, run: (sys.executable, str(program), str(run), target.name, str(self.plan)),
        )

    def night(self, **steps: Mapping[str, Any]) -> int:
        """One night in which each endpoint does what is said; its exit status."""
        self.plan.write_text(json.dumps({name: [step] for name, step in steps.items()}))
        self.said.clear()
        return night.JobNight(self.config, self.said.append).run()

    @property
    def config(self) -> configs.NightlyConfig:
        return configs.read(self.file)

    @property
    def directory(self) -> Path:
        return self.folder / "d"

    @property
    def latest(self) -> Nightly:
        return msgspec.json.decode((self.directory / "latest.json").read_bytes(), type=Nightly)

    @property
    def kept(self) -> NightsKept:
        return msgspec.json.decode((self.directory / "nights.json").read_bytes(), type=NightsKept)

    @property
    def runs(self) -> list[str]:
        return sorted(path.name for path in (self.directory / "runs").iterdir() if path.name[0] == "2")

    @property
    def hooks(self) -> list[dict[str, Any]]:
        """What each call of the hook got on its input."""
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("hook.*.json"))]

    def environment(self, call: int) -> dict[str, str]:
        lines = (self.folder / f"hook.{call}.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)


READY: dict[str, Any] = {"word": "READY"}
BROKEN: dict[str, Any] = {
    "word": "NOT READY",
    "cases": {"a/x[s]": "FAIL"},
    "earlier": {"run": "before", "verdict": "READY", "kind": "generic", "model": "m", "build": "b1",
                "outcomes": {"a/x[s]": "PASS"}},
    "reasons": [{"word": "FAIL", "level": "MUST", "case": "a/x[s]@e", "text": "it is \x1b[31mbroken"}],
}  # fmt: skip
STILL: dict[str, Any] = {**BROKEN, "earlier": {**BROKEN["earlier"], "outcomes": {"a/x[s]": "FAIL"}}}
GONE: dict[str, Any] = {"refuses": "nothing listens at 127.0.0.1:1 (connection refused)"}
