"""What starts a job: the examples are what the code prints, and hold to the structure that their readers document.

SchemaStore's schemas of GitHub's and GitLab's files are large and not ours to ship: held here is the structure that
matters (which keys there are, what each step is), by a JSON Schema of our own. systemd-analyze, where it is, is asked
about a unit of this very checkout; everywhere its keys and sections are held against those of the manual pages.
"""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from seatrial.nightly import units

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "nightly"
MADE = (Path("/etc/seatrial/nightly.toml"), Path("/opt/seatrial"), Path("/opt/seatrial/.venv/bin/python"))

UNIT = {"Description", "Wants", "After"}
SERVICE = {"Type", "WorkingDirectory", "EnvironmentFile", "ExecStart", "KillMode", "TimeoutStartSec", "TimeoutStopSec",
           "OOMPolicy", "PrivateTmp"}  # fmt: skip
"""Of systemd.unit(5), systemd.service(5), systemd.kill(5) and systemd.exec(5)."""
TIMER = {"OnCalendar", "AccuracySec", "Persistent"}
"""Of systemd.timer(5)."""

STEP = {
    "type": "object",
    "oneOf": [{"required": ["uses"]}, {"required": ["run"]}],
    "properties": {
        "uses": {"type": "string", "pattern": r"^[\w-]+/[\w-]+@v\d+$"},
        "run": {"type": "string"},
        "if": {"type": "string"},
        "env": {"type": "object", "additionalProperties": {"type": "string"}},
        "with": {"type": "object", "additionalProperties": {"type": "string"}},
        "name": {"type": "string"},
    },
    "additionalProperties": False,
}
GITHUB = {
    "type": "object",
    "required": ["on", "jobs"],
    "properties": {
        "name": {"type": "string"},
        "on": {
            "type": "object",
            "required": ["schedule"],
            "properties": {
                "schedule": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["cron"],
                        "properties": {"cron": {"pattern": r"^(\S+ ){4}\S+$"}},
                    },
                },
                "workflow_dispatch": {},
            },
            "additionalProperties": False,
        },
        "permissions": {"type": "object", "additionalProperties": {"enum": ["read", "write", "none"]}},
        "concurrency": {
            "type": "object",
            "required": ["group"],
            "properties": {"group": {"type": "string"}, "cancel-in-progress": {"enum": ["true", "false"]}},
            "additionalProperties": False,
        },
        "jobs": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {
                "type": "object",
                "required": ["runs-on", "steps"],
                "properties": {
                    "runs-on": {"type": ["string", "array"]},
                    "timeout-minutes": {"type": "string", "pattern": r"^\d+$"},
                    "steps": {"type": "array", "minItems": 1, "items": STEP},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
SCRIPT = {"type": "array", "minItems": 1, "items": {"type": "string"}}
GITLAB = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {
        "type": "object",
        "required": ["script"],
        "properties": {
            "tags": {"type": "array", "items": {"type": "string"}},
            "rules": {"type": "array", "items": {"type": "object", "required": ["if"]}},
            "resource_group": {"type": "string"},
            "timeout": {"type": "string", "pattern": r"^\d+(h|m| hours| minutes)$"},
            "variables": {"type": "object", "additionalProperties": {"type": "string"}},
            "before_script": SCRIPT,
            "script": SCRIPT,
            "after_script": SCRIPT,
            "artifacts": {
                "type": "object",
                "properties": {
                    "when": {"enum": ["always", "on_success", "on_failure"]},
                    "expire_in": {"type": "string"},
                    "paths": {"type": "array", "items": {"type": "string"}},
                },
                "additionalProperties": False,
            },
        },
        "additionalProperties": False,
    },
}


def example(name: str) -> str:
    return (EXAMPLES / name).read_text("utf-8")


def sections(text: str) -> dict[str, dict[str, str]]:
    read = configparser.ConfigParser(interpolation=None, strict=True)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read_string(text)
    return {name: dict(read[name]) for name in read.sections()}


def test_the_examples_are_what_is_printed():
    assert example("seatrial-nightly.service") == units.service("nightly", *MADE)
    assert example("seatrial-nightly.timer") == units.timer("nightly", "22:00")
    assert example("crontab") == units.cron(*MADE, "22:00") + "\n"


def test_the_units_hold_keys_of_their_sections_alone():
    service = sections(units.service("n", *MADE))
    assert {name: set(keys) for name, keys in service.items()} == {"Unit": UNIT, "Service": SERVICE}
    timer = sections(units.timer("n", "22:00"))
    assert {name: set(keys) for name, keys in timer.items()} == {
        "Unit": {"Description"},
        "Timer": TIMER,
        "Install": {"WantedBy"},
    }
    assert timer["Timer"]["OnCalendar"] == "*-*-* 22:00:00"


@pytest.mark.parametrize("folder", ["plain", "with blanks and $5 at 100 %"])
def test_systemd_takes_the_unit_of_a_folder_of_any_name(tmp_path, folder):
    """Where systemd-analyze is not there, what it would read is read here: one command, its words as they were."""
    checkout = tmp_path / folder
    checkout.mkdir()
    job = checkout / "job.toml"
    job.touch()
    text = units.service("n", job, checkout, Path(sys.executable))
    command = sections(text)["Service"]["ExecStart"].replace("%%", "%").replace("$$", "$")
    assert shlex.split(command) == [sys.executable, "-m", "seatrial.cli", "nightly", str(job)]
    (tmp_path / "seatrial-n.service").write_text(text)
    (tmp_path / "seatrial-n.timer").write_text(units.timer("n", "22:00"))
    program = shutil.which("systemd-analyze")
    if program is not None:
        files = [str(tmp_path / f"seatrial-n.{kind}") for kind in ("service", "timer")]
        done = subprocess.run(
            [program, "verify", "--man=no", *files], capture_output=True, text=True, timeout=60, check=False
        )
        ours = [line for line in done.stderr.splitlines() if "seatrial-n" in line]
        assert (done.returncode, ours) == (0, []), done.stderr


def test_a_line_of_a_crontab_is_five_times_and_a_command_that_a_shell_reads_back():
    line = units.cron(Path("/etc/a b/100 %.toml"), Path("/opt/it's"), Path("/usr/bin/python3"), "7:05")
    *times, command = line.split(" ", 5)
    assert times == ["5", "7", "*", "*", "*"]
    assert not re.search(r"(?<!\\)%", command)
    words = shlex.split(command.replace(r"\%", "%"))
    assert words == [
        "cd",
        "/opt/it's",
        "&&",
        "/usr/bin/python3",
        "-m",
        "seatrial.cli",
        "nightly",
        "/etc/a b/100 %.toml",
    ]


@pytest.mark.parametrize(("name", "schema"), [("github.yml", GITHUB), ("gitlab-ci.yml", GITLAB)])
def test_the_jobs_hold_to_the_structure_that_their_readers_document(name, schema):
    job = yaml.load(example(name), yaml.BaseLoader)
    check = jsonschema_rs.validator_for(schema)
    check.validate(job)
    for spoilt in spoil(job):
        assert not check.is_valid(spoilt)


def spoil(job: dict) -> list[dict]:
    """The same with a step in the wrong place: what would be no job is none here."""
    name = next(iter(job.get("jobs", job)))
    if "jobs" in job:
        inner = job["jobs"][name]
        return [
            {**job, "jobs": {name: {**inner, "steps": [{"uses": "a/b@v1", "run": "x"}]}}},
            {**job, "jobs": {name: {key: text for key, text in inner.items() if key != "runs-on"}}},
            {**job, "on": {"schedule": [{"cron": "at night"}]}},
        ]
    return [{name: {**job[name], "script": "x"}}, {name: {**job[name], "when_it_ends": "x"}}]


@pytest.mark.parametrize("name", ["github.yml", "gitlab-ci.yml", "crontab", "seatrial-nightly.service"])
def test_every_example_runs_the_job_by_the_command_that_there_is(name):
    assert re.search(r"(seatrial|seatrial\.cli) nightly \S*nightly\.toml", example(name))
