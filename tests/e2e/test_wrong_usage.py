"""Bad input: one clear line, exit 4, no run directory, nothing left behind; alone and with workers."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.e2e.driving import ROOT, suite
from tests.golden.server import Golden

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def golden():
    with Golden() as server:
        yield server


@pytest.fixture(scope="module")
def ssh():
    """A port that answers, but not HTTP."""
    listener = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

    threading.Thread(target=greet, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


@pytest.fixture(scope="module")
def deaf():
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


CASES = {
    "refused": (["--endpoint=http://127.0.0.1:1"], "nothing listens at 127.0.0.1:1"),
    "not-http": (["--endpoint=http://127.0.0.1:{ssh}"], "answers, but not HTTP"),
    "tls": (["--endpoint=https://127.0.0.1:{ssh}"], "TLS"),
    "nonsense-url": (["--endpoint=ftp:/what"], "--endpoint"),
    "credentials-in-url": (["--endpoint=http://me:secret@127.0.0.1:{port}"], "credentials"),
    "credentials-without-scheme": (["--endpoint=me:secret@127.0.0.1:{port}"], "holds credentials"),
    "credentials-with-equals": (["--endpoint=me:se=secret@127.0.0.1:{port}"], "holds credentials"),
    "credentials-with-a-blank": (["--endpoint=http://me:my secret@127.0.0.1:{port}"], "holds credentials"),
    "empty-label": (["--endpoint=http://a..b"], "a part of its host name is empty"),
    "long-label": (["--endpoint=http://" + "a" * 64], "longer than 63 characters"),
    "header-not-latin-1": (["--endpoint={url}", "--header=X-A: 日本"], "--header X-A: its value holds"),
    "header-no-name": (["--endpoint={url}", "--header=X A: secret@"], "--header: its name is no header name"),
    "header-unfit": (["--endpoint={url}", "--header=Content-Length: 5"], "--header Content-Length"),
    "key-not-latin-1": (["--endpoint={url}", "--api-key-env=ODD_KEY"], "--api-key-env=ODD_KEY: the key cannot be sent"),
    "ca-no-pem": (["--endpoint={url}", "--ca={broken}"], "holds no certificates in PEM"),
    "hangs": (["--endpoint=http://127.0.0.1:{deaf}"], "does not answer GET /models within 2.5 s"),
    "hangs-in-tls": (["--endpoint=https://127.0.0.1:{deaf}"], "if it speaks no TLS"),
    "a-name-twice": (["--endpoint=a={url}", "--endpoint=a={url}"], "given twice"),
    "no-such-model": (["--endpoint={url}", "--model=nobody"], "nobody"),
    "unknown-case": (["--endpoint={url}", "--case=sse/role-once"], "nearest: sse/role-is-sent-once"),
    "unknown-profile": (["--endpoint={url}", "--profile=lama"], "--profile=lama"),
    "unknown-hazard": (["--endpoint={url}", "--hazard=wild"], "--hazard=wild"),
    "unknown-depth": (["--endpoint={url}", "--depth=deep"], "--depth=deep: unknown; say small or full"),
    "no-unit": (["--endpoint={url}", "--soak=8"], "--soak=8 has no unit"),
    "no-duration": (["--endpoint={url}", "--budget=soon"], "--budget=soon"),
    "no-such-key": (["--endpoint={url}", "--api-key-env=NO_SUCH_KEY_HERE"], "NO_SUCH_KEY_HERE"),
    "no-such-file": (["--endpoint={url}", "--waive=nowhere.toml"], "nowhere.toml"),
    "unreadable-toml": (["--endpoint={url}", "--waive={broken}"], "line 2"),
    "no-closed-phase": (["--endpoint={url}", "--soak=30s", "--rps=2", "--users=3"], "--users=3: with --rps it is for"),
    "phases-no-toml": (["--endpoint={url}", "--phases={broken}"], "broken.toml line 2"),
    "tools-not-there": (["--endpoint={url}", "--tools=nobody"], "no client is known by it; known: openclaw"),
    "tools-no-json": (["--endpoint={url}", "--tools={broken}"], "is no JSON"),
    "waiver-matches-nothing": (["--endpoint={url}", "--waive={stray}"], "nearest: sse/role-is-sent-once"),
    "extra-body": (["--endpoint={url}", "--extra-body=[1]"], "JSON object"),
}


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "workers"])
@pytest.mark.parametrize("case", CASES)
def test_one_line_and_exit_4(case, workers, golden, ssh, deaf, tmp_path, monkeypatch):
    monkeypatch.setenv("ODD_KEY", "sk-日本")
    broken, stray = tmp_path / "broken.toml", tmp_path / "stray.toml"
    broken.write_text('[[waive]]\ncase = "x\n')
    stray.write_text('[[waive]]\ncase = "sse/role-once"\nwho = "me"\nwhy = "so"\nuntil = 2099-01-01\n')
    port = golden.url.rpartition(":")[2].partition("/")[0]
    arguments, said = CASES[case]
    filled = [a.format(url=golden.url, port=port, ssh=ssh, deaf=deaf, broken=broken, stray=stray) for a in arguments]
    ran = suite(tmp_path / "run", "suites/conformance", *workers, *filled, timeout_s=60)
    lines = [line for line in ran.out.splitlines() if said in line]
    assert ran.code == 4, ran.out
    assert lines, ran.out
    assert "Traceback" not in ran.out
    assert "secret@" not in ran.out
    assert not (tmp_path / "run").exists()


def test_a_run_directory_that_cannot_be_written(golden, tmp_path):
    (tmp_path / "file").write_text("")
    ran = suite(tmp_path / "file" / "run", "suites/conformance", f"--endpoint={golden.url}", timeout_s=60)
    assert ran.code == 4, ran.out
    assert "name another with --run-dir" in ran.out


@pytest.mark.parametrize("what", ["tests", "suites"])
def test_collecting_starts_nothing(what, tmp_path):
    before = set((ROOT / "reports" / "runs").glob("*"))
    ran = suite(tmp_path / "run", what, "--co", "-q", timeout_s=60)
    assert ran.code == 0, ran.out
    assert not (tmp_path / "run").exists()
    assert set((ROOT / "reports" / "runs").glob("*")) == before


def test_a_dry_run_shows_the_plan_and_stops(golden, tmp_path):
    ran = suite(tmp_path / "run", "suites", "-n2", f"--endpoint=g={golden.url}", "--dry-run", timeout_s=60)
    assert ran.code == 0, ran.out
    assert "plan" in ran.out
    assert not (tmp_path / "run").exists()
