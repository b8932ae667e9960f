"""The operator's own tools: which of them a server refuses, and for what; and whether it keeps to their schemas.

What is sent rests on the answers before: :mod:`seatrial.checks.autopsy`. A record tells all of it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from seatrial.checks import answering, causes, traits
from seatrial.checks.areas.tools import asked
from seatrial.checks.autopsy import asking
from seatrial.checks.autopsy.cuts import BARE
from seatrial.checks.autopsy.search import Autopsy, Likeness, Offender, Together
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import fields, tools
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten, visible

OWN = traits.DECLINABLE | trait("own-tools", own=True)
"""The operator's own tools: what is sent is made of them when they are known."""

OFFERED = OWN | trait("own-tools-offered")
"""All of them at once, and where that is refused, parts of them until the part to blame is found."""

CALLED = OWN | trait("own-tools-called")
"""A call of each is forced, and the prompt asks for what its schema does not allow."""

SMALLEST = 1600
"""Characters of the smallest refused tool that a finding shows."""

ACCEPTED = "tools/own-tools-are-accepted"
NO_ANSWER = "a client that offers this set gets no answer at all, whatever it asks"
WHY = {
    Likeness.NUMBER: "as many tools without a word are refused too: it is their number",
    Likeness.LENGTH: "as many harmless tools of the same length are refused too: it is the length of the set",
    Likeness.COMPANY: "harmless tools of the same length are taken: it is these tools together",
}


def _figures(xs: Mapping[str, Exchange], expect: Expect) -> dict[str, str]:
    report = _read(xs)
    if not isinstance(report, Autopsy):
        return {}
    found = "all taken" if report.taken else f"{len(report.offenders)} offenders named"
    return {"own tools": f"{report.tools}, {found}, {report.asked} requests"}


@rule(
    row="tools/28",
    part="accepted",
    level=Level.MUST,
    of=OFFERED,
    answer=False,
    sampled=True,
    figures=_figures,
    source="OpenAPI document, ChatCompletionTool and FunctionParameters: JSON Schema; llama.cpp #27580, #25895, #19051",
)
def own_tools_are_accepted(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The operator's own tools are accepted, all at once."""
    report = _read(xs)
    if not isinstance(report, Autopsy):
        yield report
        return
    for offender in report.offenders:
        yield _refused(offender, report, xs, so=NO_ANSWER)
    if report.together is not None:
        yield _together(report.together, report, xs)
    if report.unfinished:
        yield _unfinished(report.unfinished, xs)
    elif report.more:
        got = f"refused still, after {report.asked} requests"
        expected, so = "the other tools are taken", "there are more tools to blame"
        yield violation("the set", expected=expected, got=got, so=so)


def _read(xs: Mapping[str, Exchange]) -> Autopsy | Finding:
    """What the answers tell, or why they tell nothing."""
    try:
        return asking.read(xs)
    except asking.UnlikeError as error:
        return no_evidence("the recording", expected="the answers of one search", got=str(error))


def _refused(offender: Offender, report: Autopsy, xs: Mapping[str, Exchange], *, so: str) -> Finding:
    """What is refused of one tool: where it stands, the smallest tool that is refused, and what helps."""
    where = f"tool {offender.number} of {report.tools}, {offender.tool}: {offender.piece}"
    if offender.beside is not None:
        where += f" (beside {offender.beside})"
    others = [f"{each.tool}: {each.piece}" for each in report.offenders if each is not offender]
    if others and offender is report.offenders[0]:
        where += f"; also {'; '.join(others)}"
    told = "the smallest that is refused" if offender.least else "narrowed down no further"
    got = f"{told}: {_compact(offender.smallest)}: {_said(xs[offender.shown_by])}"
    number = offender.number - 1
    patch = f"/{number}" if offender.piece == BARE else f"/{number}{offender.piece.pointer}"
    cure = f'the patch is {{"op": "remove", "path": "{patch}"}}'
    if report.helps:
        beside = " with those of the other findings" if others else ""
        cure += f", and{beside} the whole set is taken ({report.helps.partition(':')[0]} requests)"
    expected = "200: every keyword is allowed"
    shown, grave = offender.shown_by, _is_5xx(xs[offender.shown_by])
    finding = violation(where, expected=expected, got="", so=f"{so}; {cure}", about=shown, grave=grave)
    return msgspec.structs.replace(finding, got=got)  # whole: a tool is what is to be read


def _together(found: Together, report: Autopsy, xs: Mapping[str, Exchange]) -> Finding:
    """Why a set is refused of which no tool is refused alone."""
    if found.why is Likeness.COMPANY:
        where = f"{len(found.names)} tools together: {', '.join(found.names[:6])}"
    else:
        where = f"the size of the set: {found.why.value}"
    left = report.tools - found.taken - 1
    got = (
        f"{_said(xs[found.shown_by])}; the first {found.taken} of {report.tools} are taken, so is the next one alone; "
        f"together ({found.length} bytes of JSON) they are not; {WHY[found.why]}"
        + (f"; of the {left} behind them nothing is known" if left else "")
    )
    expected = "200: up to 128 tools are allowed"
    finding = violation(where, expected=expected, got="", so=NO_ANSWER, about=found.shown_by)
    return msgspec.structs.replace(finding, got=got)


def _unfinished(name: str, xs: Mapping[str, Exchange]) -> Finding:
    """Why the search went no further."""
    x = xs[name]
    found = answering.unheard(x) or answering.silent(x) or no_evidence(name, expected="an answer", got="none")
    return msgspec.structs.replace(found, about=name, where=f"{name}: {found.where}")


def _said(x: Exchange) -> str:
    """What a server said to what it refused."""
    wrong = answering.silent(x) or answering.refused(x)
    return wrong.got if wrong is not None else f"{x.status}"


def _is_5xx(x: Exchange) -> bool:
    return x.status is not None and x.status >= 500


def _compact(tool: Any) -> str:
    return visible(json.dumps(tool, ensure_ascii=False, separators=(",", ":")), SMALLEST)


def _judged(xs: Mapping[str, Exchange], expect: Expect) -> dict[str, str]:
    lacking = [name for name, x in xs.items() if any(f.kind != "violation" for f in _of_call(x))]
    said = f", no word of {', '.join(lacking[:5])}{' ...' if len(lacking) > 5 else ''}" if lacking else ""
    return {"own tools": f"{len(xs) - len(lacking)} of {len(xs)} calls judged{said}"}


@rule(
    row="tools/28",
    part="enforced",
    level=Level.SHOULD,
    of=CALLED,
    answer=False,
    sampled=True,
    figures=_judged,
    source="OpenAPI document, FunctionParameters and strict; llama.cpp #19051 and #26596: accepted and not enforced",
)
def own_tools_are_enforced(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A forced call of each of the operator's own tools has arguments that fit it; none is taken and ignored."""
    judged = {name: _of_call(x) for name, x in xs.items()}
    found = [finding for held in judged.values() for finding in held]
    broken = [finding for finding in found if finding.kind == "violation"]
    declined = [finding for finding in found if finding.kind == "refusal"]
    if len(declined) < len(judged):  # a server that declines every forced call says nothing of these tools
        broken += [_refused_alone(finding) for finding in declined]
    if broken:
        yield from broken
    elif found and all(judged.values()):  # of what could be judged of no tool nothing is known
        yield found[0]
    elif not judged:
        yield no_evidence("the recording", expected="a call of each tool", got="none")


def _of_call(x: Exchange) -> list[Finding]:
    """What is wrong with a forced call, or why nothing can be said of it; nothing where its arguments fit."""
    return [_about(finding, x) for finding in _findings(x)]


def _about(finding: Finding, x: Exchange) -> Finding:
    name = asked.name_chosen(x)
    return msgspec.structs.replace(finding, about=name, where=f"{name}: {finding.where}")


def _findings(x: Exchange) -> Iterator[Finding]:
    if nothing := answering.unheard(x):
        yield nothing
    elif x.status is not None and 400 <= x.status < 500:
        yield _declined(x)
    elif wrong := answering.silent(x) or answering.refused(x):
        yield msgspec.structs.replace(wrong, causes=(ACCEPTED + causes.SOME,))
    elif nothing := asked.uncalled(x):
        judges = (asked.NAMED_CALLED + causes.SOME, asked.REQUIRED_CALLS + causes.SOME)
        yield msgspec.structs.replace(nothing, causes=judges)
    else:
        cut = asked.cut(x)
        for call in (call for made in tools.calls(x).values() for call in made):
            yield from _unfit(x, call, is_cut=call.choice in cut)


def _declined(x: Exchange) -> Finding:
    """A tool that is refused when it is forced."""
    got = f"{x.status} {shorten(x.body[:300].decode('utf-8', 'replace'))}"
    return refusal("the status", expected="a call", got=got, optional=True)


def _refused_alone(finding: Finding) -> Finding:
    """A tool that is refused when it is forced, and others are not."""
    so = "an agent that forces this tool gets no answer"
    return msgspec.structs.replace(finding, kind="violation", consequence=so, causes=(ACCEPTED + causes.SOME,))


def _unfit(x: Exchange, call: tools.MadeCall, *, is_cut: bool) -> Iterator[Finding]:
    """What of the arguments of a call does not fit the schema of its tool."""
    function = tools.offered(x).get(call.name)
    where = "arguments"
    if function is None or not isinstance(call.value, dict):
        got = f"cut at the cap: {call.arguments}" if is_cut else call.arguments or "none"
        judges = () if is_cut else (asked.SHAPED + causes.SOME, asked.NAMED_CALLED + causes.SOME)
        yield no_evidence(where, expected="an object to its end", got=got, causes=judges)
        return
    so = "accepted and not enforced: the tool gets arguments that its schema rules out, and the client has to check"
    strict = fields.mapping(function).get("strict") is True
    yield from asked.unfit(fields.mapping(function).get("parameters"), call, where, so=so, grave=strict)
