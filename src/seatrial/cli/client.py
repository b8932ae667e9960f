"""``seatrial client``: what a run says of one client, and the settings that its results support, ready to paste."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from seatrial.cli.show import open_run, say
from seatrial.clients import profile, settings
from seatrial.given.errors import ConfigError
from seatrial.records import Endpoint, Judged, Outcome
from seatrial.run.writer import RunDirError
from seatrial.text import visible
from seatrial.verdict import clients

SHARE = 4
"""A quarter of the context, at most, is left to one answer; the rest is for what was said before."""

MOST_ANSWER = 8192
KEYWORD = re.compile(r'"path": "[^"]*/([A-Za-z]+)"')
"""The end of the patch by which a rule on tools takes out what is refused: the keyword itself."""

KEYWORDS = frozenset(
    {"pattern", "format", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "patternProperties"}
    | {"propertyNames", "anyOf", "oneOf", "allOf", "not", "const", "default", "examples", "additionalProperties"}
)


def client(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The client, as --client has it.")],
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run directory, the name of one in reports/runs, or 'latest'.")
    ] = "latest",
    *,
    endpoint: Annotated[str | None, typer.Option(help="Which endpoint of the run.  [default: the only one]")] = None,
) -> None:
    """Print the settings of a client that the results of a run support, ready to paste; on stderr, why they are so.

    What no result decides is left out. The verdict for the client stands on stderr too.
    """
    try:
        table = profile.named((name,))[0]
    except ConfigError as error:
        raise RunDirError(str(error).replace("--client=", "client ", 1)) from None
    if table.settings is None:
        raise RunDirError(f"client {name}: nothing of it has to be set but the address and the model")
    from seatrial.judging.run import judge  # loads every rule and the openai SDK: a second

    judged = judge(open_run(run))
    page = judged.endpoints.get(chosen := _chosen(tuple(judged.endpoints), endpoint))
    if page is None:
        raise RunDirError(f"the page of {chosen} is lost: nothing is known of it")
    cases = [case for case in judged.cases if case.endpoint == chosen]
    said = judged.verdict.endpoints[chosen].clients if chosen in judged.verdict.endpoints else {}
    verdict = said.get(name) or clients.told(table, cases, page)  # a run that was asked for others tells of those alone
    why = [clients.counted(verdict), *clients.deciding(verdict)[:1]]
    _aside(f"{table.title} on {visible(chosen)}: {'; '.join(why)}")
    for reason in verdict.reasons:
        _aside(f"  {reason.word:<13} {visible(reason.case)} {visible(reason.text, 400)}")
    values = _values(page, settings.key(table.settings, str(judged.info.options.get("key_env") or "")))
    values["keywords"] = _keywords(cases)
    for setting in table.settings.by_results:
        word, because = _decided(setting, cases)
        values[setting.name] = {True: setting.holds, False: setting.breaks, None: None}[word]
        if values[setting.name] is not None or word is None:
            written = "left out" if word is None else json.dumps(values[setting.name])
            _aside(f"  {settings.named(table.settings, setting.name)}: {written}, for {because}")
    _aside(f"into       {table.settings.where}")
    say(settings.pasted(table.settings, values))


def _aside(text: str) -> None:
    typer.echo(visible(text, 600), err=True)
    sys.stderr.flush()


def _chosen(names: Sequence[str], wanted: str | None) -> str:
    """The endpoint that is meant.

    Raises:
        RunDirError: it is not of the run, or there are several and none is named.
    """
    if wanted is not None and wanted not in names:
        raise RunDirError(f"--endpoint={wanted} is not of this run; it has {', '.join(names) or 'none'}")
    if wanted is None and len(names) != 1:
        raise RunDirError(f"this run has {len(names)} endpoints: name one with --endpoint: {', '.join(names)}")
    return wanted or names[0]


def _values(page: Endpoint, key: str) -> dict[str, Any]:
    """What is known of an endpoint, by the names that a table calls it by."""
    answer = min(page.context // SHARE, MOST_ANSWER) if page.context else None
    return {
        "url": page.url,
        "model": page.model,
        "key": key,
        "thinks": page.thinking,
        "context": page.context,
        "answer": answer,
    }


def _decided(setting: profile.Setting, cases: Sequence[Judged]) -> tuple[bool | None, str]:
    """Whether what a setting hangs on holds, and by which cases; None where nothing decides."""
    mine = [case for case in cases if clients.means(setting, case.rule, case.traits)]
    mine = [case for case in mine if case.outcome is not Outcome.UNSUPPORTED] or mine
    against = [c for c in mine if c.outcome in clients.BROKEN | {Outcome.WAIVED, Outcome.UNSUPPORTED} or c.because]
    if against:
        cause = f" because of {against[0].because}" if against[0].because else ""
        return False, f"{against[0].outcome} {against[0].case}{cause}"
    passed = [case for case in mine if case.outcome is Outcome.PASS]
    if passed and len(passed) == len(mine):
        more = f" and {len(passed) - 1} more" if len(passed) > 1 else ""
        return True, f"PASS {passed[0].case}{more}"
    undecided = next((case for case in mine if case not in passed), None)
    return None, f"{undecided.outcome} {undecided.case}" if undecided else "no case of it was judged"


def _keywords(cases: Sequence[Judged]) -> list[str] | None:
    """Keywords of the operator's own tools that the server refuses, as the patches of the findings name them."""
    found = {
        match[1]
        for case in cases
        if case.rule == "tools/own-tools-are-accepted" and case.outcome in clients.BROKEN
        for finding in case.findings
        for match in KEYWORD.finditer(finding.consequence)
    }
    return sorted(found & KEYWORDS) or None
