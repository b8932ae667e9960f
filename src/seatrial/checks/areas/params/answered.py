"""Each parameter by itself: whether a request that has it is answered at all, so that one that is not has a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from seatrial.checks import answering, capabilities, causes, look
from seatrial.checks.areas.params.parts import ONE, REQUIRED
from seatrial.checks.findings import refusal
from seatrial.checks.rules import rule
from seatrial.records import Exchange, Expect, Finding, Level


@rule(
    row="p/32",
    level=Level.MUST,
    of=ONE,
    answer=False,
    sampled=True,
    source="OpenAPI document, CreateChatCompletionRequest; HabanaAI/vllm-fork issue 773: seed gives 500",
)
def each_parameter_is_answered(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A valid request with one parameter beside the usual ones is answered; a rarer one may be refused with a 4xx.

    What other requests with this parameter are answered hangs on this one.
    """
    for x in xs.values():
        *others, name = look.parameters(x) or ["the request"]
        if nothing := answering.unheard(x):
            yield nothing
        elif found := answering.silent(x) or answering.refused(x):
            declined = look.is_refusal(x) or capabilities.declined_of(x, name)
            if declined and not REQUIRED & {name, *others}:
                yield refusal(name, expected="an answer", got=found.got, optional=True)
                continue
            also = [name] if look.is_next_to_nothing(x) else []  # of a parameter's edge its usual value is the cause
            begun = (causes.ANSWERED + causes.SOME,) if x.status == 200 and not x.error else ()  # it was taken
            where, judges = f"{name}: {found.where}", (*begun, *map(look.alone, [*others, *also]), *look.by_heat(x))
            yield replace(found, where=where, grave=True, optional=False, causes=judges)
