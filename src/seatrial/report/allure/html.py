"""report.html: one file that opens anywhere, asks nobody for anything, and says the verdict first."""

from __future__ import annotations

import base64
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from seatrial.judging.run import JudgedRun
from seatrial.report import markdown
from seatrial.report.allure import past
from seatrial.report.allure.generator import ReportError, generate, install, templates
from seatrial.report.allure.node import NodeError, find_node
from seatrial.report.allure.page import section
from seatrial.report.allure.results import write
from seatrial.report.decision import plain
from seatrial.report.run import Report
from seatrial.report.words.plain import size
from seatrial.run.writer import RunDirError, write_atomically
from seatrial.text import visible

__all__ = ["ReportError", "build", "write_report"]

# What the page may load: itself. A browser then refuses any request, also one that a later Allure might add.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; style-src 'unsafe-inline' data: blob:; "
    "img-src data: blob:; font-src data: blob:; connect-src data: blob:; frame-src data: blob:; media-src data: blob:; "
    "worker-src blob: data:; form-action 'none'; base-uri 'self' data: blob:"
)

_TRACKER = re.compile(
    r"<script[^>]*\ssrc=[\"']https://www\.googletagmanager\.com[^>]*></script>\s*<script>.*?</script>", re.DOTALL
)
_RESULT = re.compile(r"\bd\(\"data/test-results/[0-9a-f]+\.json\",\"([A-Za-z0-9+/=]+)\"")
_LOADER = re.compile(
    r"<(?:script|link|img|iframe|object|embed|source|video|audio|use)\b[^>]*?\s(?:src|href|data|srcset)=[\"']?\s*(?:https?:)?//",
    re.IGNORECASE,
)


def _silent(_: str) -> None:
    """Progress that nobody reads."""


class Written(NamedTuple):
    """A line about each thing that was written, and why there is no report.html where there is none."""

    lines: tuple[str, ...]
    why_no_page: str


def write_report(
    report: Report,
    out: Path | None = None,
    results: Path | None = None,
    progress: Callable[[str], None] = _silent,
) -> Written:
    """Write Allure results, the HTML page and report.md of a run, and its decision where there is one.

    Without Node, or where Allure cannot be installed, the page is left out, and it is said why and what to do.

    Raises:
        RunDirError: nothing can be written there.
    """
    run = report.judged.run.path
    folder = results or run / "allure-results"
    number = write(report, folder)
    why = ""
    try:
        page = build(report, results=folder, out=out, progress=progress)
        where, told = str(page), f"{page} ({size(page.stat().st_size)})"
    except (ReportError, NodeError) as error:
        where = told = why = f"no report.html: {error}"
    decided = report.decided.told
    lines = [f"decision   {plain.write(decided, out.parent if out else run)}"] if decided is not None else []
    text = run / "report.md"
    write_atomically(text, markdown.render(report, where).encode("utf-8", "backslashreplace"))
    return Written((f"results    {folder} ({number})", f"report     {told}", f"markdown   {text}", *lines), why)


def build(report: Report, results: Path, out: Path | None = None, progress: Callable[[str], None] = _silent) -> Path:
    """Build the page of a judged run and return its path.

    Args:
        results: the folder of the run's Allure results.
        out: the file to write; None: the run's report.html.

    Raises:
        NodeError: no Node that is new enough.
        ReportError: Allure could not be installed or made no page, or the page would load something from a network.
        RunDirError: the page cannot be written.
    """
    judged = report.judged
    target = out or judged.run.path / "report.html"
    if not target.parent.is_dir():
        raise RunDirError(f"cannot write {target}: there is no folder {target.parent}; make it or name another")
    node = find_node()
    command = install(node, progress)
    with tempfile.TemporaryDirectory(prefix="seatrial-report-") as folder:
        stage = Path(folder).resolve()
        (stage / "verdict.json").write_bytes(msgspec.json.encode(judged.verdict))
        kept = past.kept(judged.run.path, list(judged.verdict.endpoints))
        settings = _settings(judged, stage) | past.staged(kept, stage)
        page = generate(node, command, results.resolve(), stage, settings)
        content = page.read_text(encoding="utf-8")
        past.keep(kept, stage, first=not target.exists())
    write_atomically(target, deliver(content, section(report, _ids(content))).encode("utf-8", "backslashreplace"))
    return target


def deliver(content: str, first_screen: str) -> str:
    """Allure's page as we hand it on: without its tracker, unable to load anything, our first screen on top.

    Raises:
        ReportError: the page has no body, or something in it would be loaded from a network.
    """
    content = _TRACKER.sub("", content)
    loader = _LOADER.search(content)
    if loader:
        raise ReportError(f"this Allure's page loads something from a network: {visible(loader[0], 200)}")
    head, opening, rest = content.partition("<head>")
    before, body, after = rest.partition("<body>")
    if not opening or not body:
        raise ReportError("this Allure's page has no head and body to put the verdict into")
    style = (templates() / "verdict.css").read_text(encoding="utf-8")
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return f"{head}<head>{policy}<style>{style}</style>{before}<body>{first_screen}{after}"


def _settings(judged: JudgedRun, stage: Path) -> dict[str, object]:
    """What reports/allurerc.mjs is told."""
    info = judged.info
    environments = {
        f"endpoint{number}": {
            "name": endpoint.name,
            "title": visible(f"{endpoint.name} ({endpoint.kind})", 80),
            "variables": _variables(
                {"url": endpoint.url, "model": endpoint.model, "build": endpoint.build, **endpoint.facts}
            ),
        }
        for number, endpoint in enumerate(judged.endpoints.values(), start=1)
    }
    return {
        "title": f"Seatrial {info.id}",
        "verdict": str(stage / "verdict.json"),
        "variables": _variables({"run": info.id, "started": info.started, "seed": str(info.seed), **info.versions}),
        "environments": environments,
    }


def _variables(pairs: dict[str, str]) -> dict[str, str]:
    return {visible(name, 60): visible(value, 200) for name, value in pairs.items() if value}


def _ids(page: str) -> dict[str, str]:
    """Allure's id of each case and stop, by its full name, from the data its page carries: what a link leads to."""
    rows = (msgspec.json.decode(base64.b64decode(data)) for data in _RESULT.findall(page))
    return {str(row["fullName"]): str(row["id"]) for row in rows}
