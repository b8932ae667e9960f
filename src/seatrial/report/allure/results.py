"""Allure results of a judged run: one per case and one per stop, written from the record and not from pytest.

A killed run, a stop (which is no test) and a judgement years later then all give the same report.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import shutil
from html import escape
from pathlib import Path
from uuid import uuid4

from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import Attachment, Label, Link, Parameter, StatusDetails, TestResult

from seatrial.checks.own.word import find
from seatrial.checks.rules import Rule
from seatrial.records import GAPS, NOTICES, SECOND, STREAMS, Judged, Outcome, Received, Sent, Stop
from seatrial.report.allure import httpjson
from seatrial.report.run import Report
from seatrial.report.summary import found
from seatrial.report.words import witness
from seatrial.report.words.diagnosis import diagnosis, shown
from seatrial.report.words.stops import headline, stop_rows
from seatrial.run.writer import RunDirError
from seatrial.text import visible
from seatrial.verdict.outcomes import ALLURE_STATUS

SEVERITY = {"MUST": "critical", "SHOULD": "normal", "MAY": "minor"}

PREFIX = {"conformance": "API_DEVIATION", "behaviour": "MISBEHAVIOUR", "soak": "SOAK_FAILURE"}
"""First word of a FAIL's message, by suite. Every other outcome's message begins with the outcome's own word."""

STOP_PREFIX = "SILENT_STOP"
_WITH_EXCHANGE = frozenset({Outcome.FAIL, Outcome.WAIVED, Outcome.ADVISORY, Outcome.INCONCLUSIVE})


def write(report: Report, folder: Path) -> int:
    """Write the results of a run into an empty ``folder`` and return their number.

    Results of an earlier call are replaced; a folder that holds anything else is left alone.

    Raises:
        RunDirError: the folder holds files that are no Allure results, or cannot be written.
    """
    judged = report.judged
    _clean(folder)
    try:
        writer = _Writer(report, folder)
        for case in judged.cases:
            writer.case(case)
        for stop in judged.verdict.stops:
            writer.stop(stop)
    except OSError as error:
        raise RunDirError(f"cannot write {folder}: {error.strerror}; free space or name another") from error
    return len(judged.cases) + len(judged.verdict.stops)


def identity(name: str) -> str:
    """Allure's ``testCaseId`` of a case or stop: the same in every run."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def stop_name(stop: Stop) -> str:
    """The full name a stop's result goes by."""
    return f"stop/{stop.family}@{stop.name}/{stop.alive_at}"


def stop_weight(stop: Stop, *, tested: bool) -> tuple[str, str, str, str]:
    """What a stop is to Allure: first word of its message, status, severity, epic.

    Args:
        tested: a suite ran, whose rules weigh the same streams: families told from traffic weigh nothing by themselves.
    """
    if stop.family in GAPS or stop.doubt:
        return Outcome.INCONCLUSIVE.value, "broken", "normal", "Gaps in the record"
    if stop.family in NOTICES:
        return "NOTICE", "passed", "minor", "The host's clock" if stop.family == "CLOCK STEPPED" else "Notices"
    if stop.family in STREAMS and tested:
        return "STREAMS", "passed", "normal", "Streams"
    return STOP_PREFIX, "failed", "blocker", "Silent stops"


def message(case: Judged) -> str:
    """The message of a case: a word of the closed vocabulary, then the finding; empty for a PASS."""
    if case.outcome is Outcome.PASS:
        return ""
    word = PREFIX.get(case.suite, "API_DEVIATION") if case.outcome is Outcome.FAIL else case.outcome.value
    told = visible(case.why, 300) if case.because else found(case) or visible(case.why, 300)
    return f"{word}: {told}"


def _clean(folder: Path) -> None:
    if not folder.exists() and not folder.is_symlink():
        return
    ours = re.compile(r".+-(result|container|globals|perf)\.json|.+-attachment\..+|.+\.tmp")
    try:
        if folder.is_symlink() or not folder.is_dir() or any(not ours.fullmatch(p.name) for p in folder.iterdir()):
            raise RunDirError(f"{folder} holds files that are no Allure results: name another with --alluredir")
        shutil.rmtree(folder)
    except OSError as error:
        raise RunDirError(f"cannot empty {folder}: {error.strerror}; name another with --alluredir") from error


class _Writer:
    def __init__(self, report: Report, folder: Path) -> None:
        self._report, self._judged = report, report.judged
        self._files = AllureFileLogger(str(folder))
        self._wall, self._end = report.wall, report.end
        self._sent = {line.id: line for line in self._judged.lines.of(Sent)}
        self._times = {r.id: (r.sent_at, r.ended_at) for r in self._judged.lines.of(Received) if not r.of_run}

    def case(self, case: Judged) -> None:
        rule = find(case.rule)
        area, _, rule_name = case.rule.partition("/")
        start, stop = self._span(case)
        result = self._result(case.case, _title(case, rule), start, stop)
        result.status = ALLURE_STATUS[case.outcome]
        text = message(case)
        if text:
            result.statusDetails = StatusDetails(message=text, known=case.outcome is Outcome.WAIVED or None)
        result.labels = [
            *self._labels(case.endpoint, SEVERITY.get(case.level, "normal"), case.outcome.value),
            Label("epic", case.suite.capitalize() or "Cases"),
            Label("feature", area),
            Label("story", rule_name or area),
        ]
        result.parameters = _parameters(case, rule)
        result.links = _links(case, rule)
        endpoint = self._judged.endpoints.get(case.endpoint)
        if case.outcome is not Outcome.PASS:
            told = diagnosis(case, rule, self._judged.exchange, endpoint, self._judged.info.id)
            result.descriptionHtml = f'<pre style="white-space: pre-wrap">{escape(told)}</pre>'
        attached = shown(case) if case.outcome in _WITH_EXCHANGE else ()
        for exchange in filter(None, map(self._judged.exchange, attached)):
            times = self._ms(exchange.sent_at), self._ms(exchange.ended_at)
            body = httpjson.attachment(exchange, endpoint, *times)
            self._attach(result, f"exchange {exchange.id}", body, httpjson.MIME, httpjson.EXTENSION)
        self._files.report_result(result)

    def stop(self, stop: Stop) -> None:
        word, status, severity, epic = stop_weight(stop, tested=bool(self._judged.cases))
        head = headline(stop, self._wall, self._end)
        title = f"{visible(stop.name)}: {head}"
        result = self._result(stop_name(stop), title, self._ms(stop.alive_at), self._ms(stop.until or stop.dead_at))
        result.status = status
        result.statusDetails = StatusDetails(message=f"{word}: {head}")
        result.labels = [
            *self._labels(stop.name, severity, word),
            Label("epic", epic),
            Label("feature", stop.family),
            Label("story", visible(stop.kind) or stop.family),
        ]
        rows = stop_rows(stop, self._wall, self._end)
        told = "\n".join(f"{label:<19} {text}".rstrip() for label, text in rows)
        result.descriptionHtml = f'<pre style="white-space: pre-wrap">{escape(told)}</pre>'
        drawn = self._report.around(stop)
        if drawn:
            self._attach(result, "timeline", drawn.encode(), "image/svg+xml", "svg")
        self._attach(result, "requests in flight", self._suspects(stop).encode(), "text/plain", "txt")
        self._attach(result, "log tail", witness.log(stop, self._judged.lines).encode(), "text/plain", "txt")
        threads = witness.threads(stop, self._judged.lines)
        if threads:
            self._attach(result, "threads", threads.encode(), "text/plain", "txt")
        self._files.report_result(result)

    def _suspects(self, stop: Stop) -> str:
        rows = [self._suspect(name, stop) for name in stop.suspects]
        return "\n".join(rows) or "no request was in flight"

    def _suspect(self, name: str, stop: Stop) -> str:
        sent = self._sent.get(name)
        if sent is None:
            return visible(name)
        age = (stop.dead_at - sent.t) / SECOND
        return visible(
            f"{name}  {sent.method} {sent.path}  scenario {sent.scenario or 'none'}  sent {age:.3f} s before"
        )

    def _result(self, name: str, title: str, start: int, stop: int) -> TestResult:
        key = identity(name)
        return TestResult(
            uuid=str(uuid4()),
            name=title,
            fullName=name,
            testCaseId=key,
            historyId=key,
            stage="finished",
            start=start,
            stop=max(stop, start),
        )

    def _labels(self, endpoint: str, severity: str, outcome: str) -> list[Label]:
        pairs = {"endpoint": endpoint, "severity": severity, "outcome": outcome, "framework": "seatrial"}
        return [Label(name, value) for name, value in pairs.items()]

    def _attach(self, result: TestResult, name: str, body: bytes, mime: str, extension: str) -> None:
        file = f"{uuid4()}-attachment.{extension}"
        self._files.report_attached_data(body=body, file_name=file)
        result.attachments.append(Attachment(name=name, source=file, type=mime))

    def _span(self, case: Judged) -> tuple[int, int]:
        """When the case's requests went out and ended; the run's start where there were none."""
        times = [self._times[i] for i in case.exchanges.values() if i in self._times]
        if not times:
            return (self._ms(self._judged.info.started_ns),) * 2
        return self._ms(min(t[0] for t in times)), self._ms(max(t[1] for t in times))

    def _ms(self, at: int) -> int:
        """Milliseconds of the wall clock, which Allure wants."""
        wall = self._wall.wall_ns(at)
        if wall is None:
            info = self._judged.info
            started = datetime.datetime.fromisoformat(info.started).timestamp()
            wall = int(started * SECOND) + at - info.started_ns
        return max(wall // 1_000_000, 0)


def _title(case: Judged, rule: Rule | None) -> str:
    text = rule.text if rule else case.rule
    return f"{text} [{case.scenario}]" if case.scenario else text


def _parameters(case: Judged, rule: Rule | None) -> list[Parameter]:
    pairs = {"outcome": case.outcome.value, "rule": case.rule, "scenario": case.scenario, "level": case.level}
    if rule is not None:
        pairs |= {"row": rule.row, "source": rule.source}
    pairs |= {"because": case.because, "asked in run": case.of_run}
    pairs |= {visible(name): visible(text) for name, text in case.figures.items()}
    return [Parameter(name, value, excluded=True) for name, value in pairs.items() if value]


def _links(case: Judged, rule: Rule | None) -> list[Link]:
    texts = [(rule.source if rule else "", "link"), (case.known, "issue")]
    return [
        Link(type=kind, url=url.rstrip(".,;)"), name=url.rstrip(".,;)"))
        for text, kind in texts
        for url in re.findall(r"https?://[^\s\"'<>]+", text)
    ]
