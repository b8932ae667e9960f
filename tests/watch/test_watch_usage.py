"""Wrong usage of ``seatrial watch``: one line, exit 4, nothing started and nothing left."""

import pytest

from seatrial.cli.app import run_command

URL = "--endpoint=a=http://127.0.0.1:1"

WRONG = {
    "nothing to watch": ([], "nothing to watch: name a server with --endpoint=URL"),
    "no scheme": (["--endpoint=127.0.0.1:80"], "has no scheme"),
    "a name twice": ([URL, URL], "the name a is given twice"),
    "a pid that is none": (["--pid=a=x"], "--pid=a=x: x is no pid"),
    "a pid without a name": (["--pid=12"], "--pid=12: it wants NAME=PID"),
    "pid zero": (["--pid=a=0"], "0 is no pid"),
    "no unit": ([URL, "--for=30"], "--for=30 has no unit; say 30h, 30m or 90s"),
    "no time": ([URL, "--for=0s"], "no time at all"),
    "canary": ([URL, "--canary=often"], "--canary=often is no duration"),
    "a limit": ([URL, "--wedged-silent=1"], "--wedged-silent=1 has no unit"),
    "the log of nobody": ([URL, "--log=b=/x"], "--log: nothing watched is called b; there is a"),
    "behind nobody": ([URL, "--behind=a=b"], "--behind: nothing watched is called b"),
    "behind a process": ([URL, "--pid=p=1", "--behind=a=p"], "--behind=a=p: p is no endpoint"),
    "behind itself": ([URL, "--behind=a=a"], "an endpoint is not behind itself"),
    "no key": ([URL, "--api-key-env=SEATRIAL_NO_SUCH_KEY"], "no such variable in the environment"),
    "a header": ([URL, "--header=x"], "--header wants 'NAME: VALUE'"),
    "certificates": ([URL, "--ca=/no/such/file"], "--ca=/no/such/file: no such file"),
    "no such command": (["--", "seatrial-no-such-command"], "seatrial-no-such-command: no such command"),
    "the command's name": (["--pid=command=1", "--", "true"], "this is the name of the command after --"),
    "a state without a folder": ([URL, "--status=/no/such/folder/s.json"], "there is no folder /no/such/folder"),
    "a hook that is none": (
        [URL, "--on-stop=seatrial-no-such-command x"],
        "--on-stop: seatrial-no-such-command: no such",
    ),
    "a hook without an end": ([URL, "--on-stop='x"], "--on-stop: a quotation mark is not closed"),
    "no time of day": (
        [URL, "--quiet-until=soon"],
        "--quiet-until=soon is no time; say 14:30, 2026-11-28T14:30, or 45m",
    ),
    "a time that is over": ([URL, "--quiet-until=2020-01-01T00:00"], "--quiet-until=2020-01-01T00:00 is over"),
    "an option": ([URL, "--sometimes"], "No such option: --sometimes"),
}


@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG)
def test_one_line_and_exit_4(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert run_command(["watch", *arguments]) == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("ERROR: ")
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert not any(tmp_path.iterdir())


def test_a_record_in_a_folder_that_holds_something(capsys, tmp_path):
    (tmp_path / "mine").write_text("x")
    assert run_command(["watch", URL, f"--record={tmp_path}"]) == 4
    assert capsys.readouterr().err == f"ERROR: {tmp_path} is not empty: name another with --record\n"


def test_help_names_units_and_defaults(capsys):
    assert run_command(["watch", "--help"]) == 0
    shown = capsys.readouterr().out
    for word in (
        "30s, 10m or 8h",
        "[default: 10s]",
        "[default: 2s]",
        "[default: 45s]",
        "[default: 1h]",
        "--record DIR",
        "--status FILE",
        "--on-stop COMMAND",
        "for at most 30 s",
        "--quiet-until TIME",
        "45m",
    ):
        assert word in " ".join(shown.split())
