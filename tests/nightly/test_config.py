"""What can be said against the file of a job: file, line, key and remedy; exit 4, and nothing is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.cli.app import run_command
from seatrial.nightly import child, config
from seatrial.nightly.keys import SUITES

HEAD = 'directory = "d"\n'
IT = '\n[[endpoint]]\nname = "a"\nurl = "http://127.0.0.1:1"\n'

WRONG = {
    "no file": (None, "cannot read job.toml: No such file"),
    "no TOML": ("directory = ", "job.toml line 1: no TOML"),
    "no directory": (IT, "job.toml: there is no key directory"),
    "no endpoint": (HEAD, "there is no [[endpoint]]; one without a url is the embedded server"),
    "an unknown key": (HEAD + 'soaks = "2h"' + IT, "job.toml line 2: unknown key 'soaks'; nearest: soak"),
    "one of an endpoint": (HEAD + IT + 'modell = "x"', "job.toml line 6: unknown key 'modell'; nearest: model"),
    "one at the wrong place": (HEAD + 'api-key-env = "K"' + IT, "unknown key 'api-key-env'; of an [[endpoint]] only"),
    "an underscore": (HEAD + IT + 'api_key_env = "K"', "unknown key 'api_key_env'; nearest: api-key-env"),
    "a type": (HEAD + 'keep = "many"' + IT, "job.toml line 2: keep: Expected int, got str"),
    "a number": (HEAD + "keep = 0" + IT, "job.toml line 2: keep: 0 nights; say 1 to 10000"),
    "a duration": (HEAD + IT + 'soak = "8"', "job.toml line 6: soak: soak=8 has no unit; say 8h, 30m or 90s"),
    "a limit": (HEAD + 'limit = "long"' + IT, "job.toml line 2: limit: limit=long is no duration"),
    "a limit that cuts its soak": (HEAD + 'soak = "8h"\nlimit = "1h"' + IT, "line 3: limit: 1h would cut a soak of 8h"),
    "a soak of no time": (HEAD + 'soak = "0.2s"' + IT, "line 2: soak: --soak=0.2s is over before an answer comes"),
    "a soak without an end": (HEAD + IT + 'soak = "1000h"', "line 6: soak: --soak=1000h is longer than anybody waits"),
    "a rate": (HEAD + 'arguments = ["--rps=nan"]' + IT, "line 2: arguments: --rps=nan is no number of requests"),
    "a rate in two words": (HEAD + 'arguments = ["--rps", "fast"]' + IT, "line 2: arguments: --rps=fast is no number"),
    "a rate without a number": (HEAD + IT + 'arguments = ["--rps"]', "line 6: arguments: --rps: what?"),
    "no phases": (HEAD + 'arguments = ["--phases=no.toml"]' + IT, "line 2: arguments: --phases="),
    "a workload": (HEAD + 'arguments = ["--workload=nope"]' + IT, "line 2: arguments: --workload="),
    "limits": (HEAD + 'arguments = ["--slo=ttft"]' + IT, "line 2: arguments: --slo: ttft is no limit"),
    "users": (HEAD + 'arguments = ["--users=0"]' + IT, "line 2: arguments: --users=0: a whole number, 1 to 1000"),
    "workers": (HEAD + 'arguments = ["--workers=0"]' + IT, "line 2: arguments: --workers=0: a whole number, 1 to 64"),
    "a hazard": (HEAD + 'arguments = ["--hazard=brave"]' + IT, "line 2: arguments: --hazard=brave: unknown"),
    "a URL": (HEAD + '[[endpoint]]\nurl = "127.0.0.1:1"', "job.toml line 3: url: --endpoint=127.0.0.1:1 has no scheme"),
    "a key in a URL": (HEAD + '[[endpoint]]\nurl = "http://u:secret@h:1"', "url: --endpoint holds credentials"),
    "a name": (HEAD + IT.replace('"a"', '"a b"'), "job.toml line 4: name: 'a b' is no name"),
    "a name twice": (HEAD + IT + IT, "job.toml line 8: name: a is there already; give this endpoint another"),
    "a suite": (HEAD + 'suites = ["suites/soaks"]' + IT, "job.toml line 2: suites: there is no suites/soaks in"),
    "a suite of an endpoint": (HEAD + IT + 'suites = ["x"]', "job.toml line 6: suites: there is no x in"),
    "no suites": (HEAD + "suites = []" + IT, "job.toml line 2: suites: none is named"),
    "an option that is a key": (HEAD + 'arguments = ["--endpoint=x"]' + IT, "job.toml line 2: arguments: '--endpoint'"),
    "no run": (HEAD + IT + 'arguments = ["--dry-run"]', "job.toml line 6: arguments: '--dry-run' has a key of its own"),
    "the key's variable": (HEAD + IT + 'api-key-env = "SEATRIAL_NO"', "line 6: api-key-env: no such variable in the"),
    "a header's variable": (HEAD + IT + 'header-env = { X = "SEATRIAL_NO" }', "line 6: header-env: X: no variable"),
    "a header of no variable": (HEAD + IT + "header-env = { X = 1 }", "line 6: header-env: Expected str, got int"),
    "a header of ours": (HEAD + IT + 'header-env = { Content-Length = "PATH" }', "Length: cannot be sent: Seatrial"),
    "waivers": (HEAD + 'waive = "w.toml"' + IT, "job.toml line 2: waive: waive="),
    "certificates": (HEAD + IT + 'ca = "c.pem"', "line 6: ca: --ca="),
    "a hook": (HEAD + 'hook = "seatrial-no-such"' + IT, "job.toml line 2: hook: seatrial-no-such: no such command"),
    "a textfile": (HEAD + 'textfile = "s.txt"' + IT, "job.toml line 2: textfile: 's.txt': its name must end in .prom"),
    "no folder for it": (HEAD + 'textfile = "/no/s.prom"' + IT, "textfile: nothing can be written in /no"),
    "a size": (HEAD + 'space = "much"' + IT, "job.toml line 2: space: 'much' is no size; say 500MB or 20GB"),
    "a size of the whole world": (HEAD + f'space = "{"9" * 400}GB"' + IT, "job.toml line 2: space: '999"),
    "a model of no command line": (HEAD + IT + 'model = "a\\u0000b"', "line 6: model: 'a\\x00b' is no name of a"),
    "a model without a name": (HEAD + IT + 'model = ""', "job.toml line 6: model: '' is no name of a model"),
    "a checkout": (HEAD + 'checkout = "/"' + IT, "job.toml line 2: checkout: / holds no conftest.py beside"),
    "the embedded server": (HEAD + '[[endpoint]]\nmodel = "m"', "job.toml line 3: model: this endpoint has no url"),
    "its name": (HEAD + '[[endpoint]]\nname = "m"', "job.toml line 3: name: an endpoint without a url is the embedded"),
    "a job's name": ('name = "a/b"\n' + HEAD + IT, "job.toml line 1: name: 'a/b' is no name"),
    "a name that is too long": (f'directory = "{"a" * 300}"' + IT, "job.toml line 1: directory: 'aaa"),
    "a suite's, too": (HEAD + f'suites = ["{"a" * 300}"]' + IT, "job.toml line 2: suites: there is no aaa"),
    "nobody's home": ('directory = "~seatrial-no/x"' + IT, "line 1: directory: '~seatrial-no/x' cannot be looked at"),
    "a head that is wrong": (HEAD + 'soak = "8"' + IT, "job.toml line 2: soak: soak=8 has no unit"),
    "a directory that is a file": ('directory = "job.toml"' + IT, "job.toml line 1: directory:"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_wrong_usage_is_one_line_and_leaves_nothing(what, tmp_path, monkeypatch, capsys):
    content, told = WRONG[what]
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "job.toml").write_text(content)
    assert run_command(["nightly", "job.toml"]) == 4
    said = capsys.readouterr().err
    assert said.startswith("ERROR: ")
    assert said.count("\n") == 1
    assert told in said
    assert "secret" not in said
    assert not (tmp_path / "d").exists()


def test_what_an_endpoint_leaves_out_the_head_says(tmp_path, monkeypatch):
    monkeypatch.setenv("K", "sk-1234567890")
    (tmp_path / "w.toml").write_text("")
    (tmp_path / "job.toml").write_text(
        HEAD
        + 'soak = "2h"\nwaive = "w.toml"\narguments = ["--strict-known"]\n'
        + IT
        + 'api-key-env = "K"\nmodel = "m"\n'
        '[[endpoint]]\nname = "b"\nurl = "http://h:2/x"\nsoak = "5m"\n'
        'suites = ["suites/soak"]\narguments = []\n[[endpoint]]\n'
    )
    a, b, embedded = config.read(tmp_path / "job.toml").targets
    run = tmp_path / "r"
    assert child.words(a, run)[3:] == (
        *SUITES, f"--run-dir={run}", "--endpoint=a=http://127.0.0.1:1/v1", "--model=m", "--api-key-env=K",
        f"--waive={tmp_path / 'w.toml'}", "--soak=2h", "--strict-known",
    )  # fmt: skip
    assert child.words(b, run)[3:] == (
        "suites/soak", f"--run-dir={run}", "--endpoint=b=http://h:2/x/v1", f"--waive={tmp_path / 'w.toml'}",
        "--soak=5m",
    )  # fmt: skip
    assert (embedded.name, embedded.place, embedded.url) == ("embedded", "", "")
    assert not any(word.startswith("--endpoint") for word in child.words(embedded, run))
    assert (a.limit_s, b.limit_s) == (3 * 3600 + 1.5 * 7200, 3 * 3600 + 1.5 * 300)


def test_a_check_says_what_would_be_run_and_makes_nothing(tmp_path, capsys):
    (tmp_path / "job.toml").write_text(HEAD + IT)
    assert run_command(["nightly", str(tmp_path / "job.toml"), "--check"]) == 0
    assert "-m pytest suites/conformance suites/behaviour suites/soak" in capsys.readouterr().out
    assert not (tmp_path / "d").exists()


def test_units_are_printed_without_the_secrets_that_the_job_will_need(tmp_path, capsys):
    (tmp_path / "job.toml").write_text(HEAD + IT + 'api-key-env = "SEATRIAL_NO"')
    assert run_command(["nightly", str(tmp_path / "job.toml"), "--print-unit", "--at=03:30"]) == 0
    assert "OnCalendar=*-*-* 03:30:00" in capsys.readouterr().out
    assert run_command(["nightly", str(tmp_path / "job.toml"), "--print-unit", "--at=noon"]) == 4
    assert "--at=noon is no time of day" in capsys.readouterr().err


def test_the_example_is_a_job(tmp_path):
    """All of its keys are known, and its values can be read; where it writes to is this test's own."""
    text = Path("docs/nightly/nightly.toml").read_text("utf-8")
    here = text.replace("/var/lib/node_exporter/textfile", str(tmp_path)).replace("mail -s", "true")
    (tmp_path / "nightly.toml").write_text(here.replace("/var/lib/seatrial", str(tmp_path)))
    job = config.read(tmp_path / "nightly.toml", to_run=False)
    assert [target.name for target in job.targets] == ["phi", "gateway"]
    assert job.hook[:2] == ("true", "seatrial: worse than last night")


def test_the_options_of_a_soak_are_taken_as_its_run_takes_them(tmp_path):
    for arguments in ('"--rps=2", "--slo", "ttft=2s"', '"--workload=mixed"', '"-k", "canary", "--strict"'):
        (tmp_path / "job.toml").write_text(HEAD + f'soak = "2h"\narguments = [{arguments}]' + IT)
        assert config.read(tmp_path / "job.toml").targets[0].limit_s == 2 * 3600 * 1.5 + config.SPARE_S


def test_a_limit_is_not_held_against_a_soak_that_is_not_run(tmp_path):
    head = HEAD + 'soak = "8h"\nlimit = "1h"\nsuites = ["suites/conformance"]\n'
    (tmp_path / "job.toml").write_text(head + IT)
    assert config.read(tmp_path / "job.toml").targets[0].limit_s == 3600
