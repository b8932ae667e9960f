"""Whether a server calls as it is told, what a call looks like, and how an answer with a call ends."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.checks import causes, look
from seatrial.checks.areas.tools import asked
from seatrial.checks.areas.tools.asked import CUT, CUT_SHORT, FORBIDDEN, FORCED, NAMED, OFFERED, REQUIRED
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import bound, chat, markers, reasoning, tools
from seatrial.reading.chat import Answer
from seatrial.reading.tools import MadeCall
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten

NO_PARAMETERS = NAMED | trait("no-parameters")
"""The function that is named takes no arguments."""

SILENT = 3
"""Tokens that end an answer without a word: marks of an end, and white space."""

ELSEWHERE = (asked.SHAPED, asked.ONCE, asked.INDEXED, asked.INDEXED + causes.SOME)
"""The rules whose finding it is that a name is none that was offered."""

JOINS = (asked.SHAPED, asked.JOINED + causes.SOME, asked.INDEXED + causes.SOME)
"""Those whose finding it is that arguments are no object."""

PIECES = (asked.INDEXED, asked.INDEXED + causes.SOME)

ENDS = "an agent that goes by finish_reason ends its turn, and the call is never made"


@rule(
    row="tools/1",
    level=Level.MUST,
    of=FORBIDDEN,
    source="OpenAPI document, tool_choice: none means the model will not call any tool; Ollama issue 17921",
)
def none_calls_nothing(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """tool_choice "none" gives a message and no call, whatever the prompt asks for; and no empty one where tokens were
    made."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    made = [call for held in tools.calls(x).values() for call in held]
    for call in made:
        so = "a client that forbade calls runs a tool, or falls over a turn without words"
        got = f"a call of {shorten(call.name, 60)}"
        yield violation(f"{call.where}, tool_calls", expected="none", got=got, so=so, grave=True)
    if not made and not chat.says_anything(x):
        tokens, expected = chat.completion_tokens(x) or 0, "a message in place of a call"
        if tokens > SILENT and not reasoning.took_all(x):
            so = "a call that was made is dropped, and the client has an empty turn"
            got = f"nothing, of {tokens} tokens"
            judges = (*look.by_content(x), *look.by_unread(x), *causes.WORDS)
            yield violation("the answer", expected=expected, got=got, so=so, grave=True, causes=judges)
        else:
            yield no_evidence("the answer", expected=expected, got="nothing")


@rule(
    row="tools/2",
    level=Level.MUST,
    of=REQUIRED,
    source="OpenAPI document, tool_choice: required means the model must call one or more tools; Ollama issue 8421",
)
def required_calls(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """tool_choice "required" gives a call in every choice, and never words alone."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    made = tools.calls(x)
    for index, answer in chat.answers(x).items():
        if not made.get(index):
            yield _uncalled(answer, x)


@rule(
    row="tools/3",
    level=Level.MUST,
    of=NAMED,
    source="OpenAPI document, tool_choice: a particular tool forces the model to call that tool",
)
def named_function_is_called(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A function that tool_choice names is called in every choice, and no other is."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    wanted, made = asked.name_chosen(x), tools.calls(x)
    for index, answer in chat.answers(x).items():
        if not made.get(index):
            yield _uncalled(answer, x)
        for call in made.get(index, ()):
            others = [name for name in asked.names(call, x) if name != wanted]
            if others:
                so = "a client that asked for one function gets another one's arguments"
                where, got = f"{call.where}, name", others[0] or "none"
                judges = asked.by_place(x, others[0]) if others[0] in tools.offered(x) else ELSEWHERE
                expected = f'"{shorten(wanted, 60)}"'
                yield violation(where, expected=expected, got=got, so=so, grave=True, causes=judges)


def _uncalled(answer: Answer, x: Exchange) -> Finding:
    """What is wrong where a choice holds no call: nothing that can be told, where thought alone took the cap."""
    where, said = f"choice {answer.index}, tool_calls", answer.content
    thinks = reasoning.is_open(said)
    if answer.reasons[-1:] == ["length"] and (thinks or not said.strip()):
        got = f"cut at the cap, {len(answer.reasoning or said)} characters of thought"
        judges = causes.UNMARKED if thinks else ()
        return no_evidence(where, expected="a call, or words in its place", got=got, causes=judges)
    so = "an agent that waits for a call gets talk, and its loop ends there"
    ends = answer.reasons[-1] if answer.reasons else "no finish_reason"
    got = f"{shorten(said, 120)} ({ends})" if said else asked.strange(x, answer.index) or "nothing"
    by = (asked.REQUIRED_CALLS + causes.SOME, *asked.by_place(x)) if asked.name_chosen(x) else ()
    by += look.by_content(x)
    return violation(where, expected="a call", got=got, so=so, grave=True, causes=by)


@rule(
    row="tools/5",
    level=Level.MUST,
    of=FORCED,
    source="OpenAPI document, ChatCompletionMessageToolCall: required id, type, function; arguments is a string",
)
def call_has_its_fields(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A call has an id, the type "function" and the name of a function that was offered; in a plain answer its
    arguments are a string that holds a JSON object."""
    if nothing := asked.uncalled(x):
        yield nothing
        return
    streamed = chat.asks_for_stream(x)
    for made in tools.calls(x).values():
        astray = asked.strays(made) if streamed else ()
        for call in made:
            if call.index in astray:
                yield no_evidence(call.where, expected="a call", got="a piece of one", causes=PIECES)
                continue
            yield from _identity(call)
            yield from _function(call, x)
    cut = asked.cut(x)
    for call in () if streamed else asked.telling(x):
        yield from _arguments(call, x, is_cut=call.choice in cut)


def _identity(call: MadeCall) -> Iterator[Finding]:
    told = call.told("id")
    if not call.id or not all(isinstance(each, str) for each in told):
        so = "a client has nothing to name in tool_call_id: the result is refused"
        yield violation(f"{call.where}, id", expected="a text", got=told[0] if told else "none", so=so)
    kinds = call.told("type")
    other = [kind for kind in kinds if kind != "function"]
    if other or not kinds:
        so = "a client that sorts calls by their type passes it over"
        yield violation(f"{call.where}, type", expected='"function"', got=other[0] if other else "none", so=so)
    elif any(piece.sent.get("type", "function") is None for piece in call.pieces):
        so = "a client on the official SDK takes it for the type that came first, and falls over the call"
        expected, got = '"function", or no such key', "null, in a later piece"
        yield violation(f"{call.where}, type", expected=expected, got=got, so=so)


def _function(call: MadeCall, x: Exchange) -> Iterator[Finding]:
    if asked.merged(call):
        return
    known = tools.offered(x)
    strange = [name for name in asked.names(call, x) if name not in known]
    if strange:
        repeated = call.name and set(call.names) <= known.keys()
        so = "no function of the client's bears this name"
        expected, judges = "a function that was offered", (asked.ONCE,) if repeated else ()
        got = f"{strange[0] or (call.names[0] if call.names else 'none')}, of {', '.join(known)}"
        yield violation(f"{call.where}, name", expected=expected, got=got, so=so, causes=judges)


def _arguments(call: MadeCall, x: Exchange, *, is_cut: bool) -> Iterator[Finding]:
    where, given = f"{call.where}, arguments", call.given[0] if call.given else None
    if is_cut and not isinstance(call.value, dict):  # what was called before the cap is whole
        yield no_evidence(where, expected="a whole call", got="cut at the cap")
    elif not isinstance(given, str):
        so = "a client that parses the text falls over"
        got = "no such key" if not call.given else f"{type(given).__name__}: {shorten(given, 80)}"
        yield violation(where, expected="a string of JSON", got=got, so=so)
    elif not given.strip() and not asked.has_parameters(call, x):
        yield no_evidence(where, expected="a JSON object", got="an empty text", causes=(asked.EMPTY_OBJECT,))
    elif not isinstance(call.value, dict):
        so = "a client that parses the text falls over, or hands the function something else than its arguments"
        judges = look.by_spelling(given)
        yield violation(where, expected="a JSON object", got=given or "an empty text", so=so, causes=judges)


@rule(
    row="tools/6",
    level=Level.SHOULD,
    of=FORCED,
    source="OpenAPI document, FunctionObject.parameters; Kimi-Vendor-Verifier and the MiniMax verifier count it",
)
def forced_arguments_validate(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The arguments of a call that was forced validate against the schema of its function.

    How often those of a call do that the model makes by itself is a rate, which behaviour tells.
    """
    if nothing := asked.uncalled(x):
        yield nothing
        return
    known = tools.offered(x)
    for call in asked.telling(x):
        schema = known.get(call.name, {}).get("parameters")
        where = f"{call.where}, arguments"
        if not isinstance(call.value, dict) or call.name not in known:
            judges = (*asked.WHOLE, *(each + causes.SOME for each in asked.WHOLE), asked.EMPTY_OBJECT)
            got = call.arguments or "none"
            yield no_evidence(where, expected="an object of a known function", got=got, causes=judges)
        elif isinstance(schema, dict):
            so = "a function that trusts its schema falls over, or does something else"
            yield from asked.unfit(schema, call, where, so=so, judges=(asked.STRICT_KEPT + causes.SOME,))


@rule(
    row="tools/7",
    level=Level.MUST,
    of=OFFERED,
    unless=CUT_SHORT,
    source="OpenAPI document, finish_reason: tool_calls if the model called a tool; vLLM pull request 25054",
)
def finish_reason_tells_of_calls(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """An answer with calls ends with finish_reason "tool_calls", or "length" where it was cut; one without calls does
    not; a call that was named may end with "stop" as well."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    made = tools.calls(x)
    allowed = ["tool_calls", "stop"] if asked.name_chosen(x) else ["tool_calls"]
    for index, answer in chat.answers(x).items():
        where, reason = f"choice {index}, finish_reason", answer.reasons[-1] if answer.reasons else None
        if reason is None:
            yield no_evidence(where, expected="one", got="none", causes=(causes.FINISHED, causes.SCHEMA))
        elif not made.get(index):
            if reason == "tool_calls":
                so = "an agent looks for a call that is not there"
                by = asked.judges(x) or (asked.REQUIRED_CALLS + causes.SOME, asked.NAMED_CALLED + causes.SOME)
                judges = (*by, *look.by_calls(x))
                yield violation(where, expected='"stop"', got='"tool_calls", and no call', so=so, causes=judges)
            elif asked.chosen(x) != "none" and (by := asked.judges(x)):
                yield no_evidence(where, expected="a call that it tells of", got=reason, causes=by)
        elif reason not in (*allowed, "length"):  # of a cut call that is right: row tools/8
            judges = () if reason in chat.FINISH_REASONS else (causes.FINISH_KNOWN,)
            judges += (causes.FINISHED + causes.SOME,) if len(answer.reasons) > 1 else ()
            expected = " or ".join(f'"{each}"' for each in allowed)
            yield violation(where, expected=expected, got=reason, so=ENDS, causes=judges)


@rule(
    row="tools/8",
    level=Level.MUST,
    of=CUT,
    source="OpenAPI document, finish_reason: length if the maximum number of tokens was reached; vLLM issue 53269",
)
def cut_call_says_length(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """An answer whose call was cut by the cap ends with finish_reason "length", plain and streamed."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    made, cap, tokens = tools.calls(x), chat.cap(x), chat.completion_tokens(x)
    for index, answer in chat.answers(x).items():
        where, reason = f"choice {index}, finish_reason", answer.reasons[-1] if answer.reasons else None
        torn = [call for call in made.get(index, ()) if call.value is None and bound.is_begun(call.arguments)]
        full = cap is not None and tokens is not None and tokens >= cap
        if not made.get(index) and answer.content.strip():
            elsewhere = tuple(judge + causes.SOME for judge in asked.judges(x))
            yield no_evidence(where, expected="a call that the cap cuts", got=answer.content, causes=elsewhere)
        elif not torn and not full:
            got = f"{tokens} tokens of {cap}, and no call that is cut"
            yield no_evidence(where, expected="a call that the cap cuts", got=got, causes=JOINS)
        elif reason != "length":
            got = f"{reason}, of {shorten(torn[0].arguments, 60)!r}" if torn else f"{reason}, after {tokens} tokens"
            so = "a client takes half a call for a whole one, and parses arguments that end in the middle"
            uncalled = () if made.get(index) else tuple(judge + causes.SOME for judge in asked.judges(x))
            ignored = (causes.MAX_TOKENS + causes.SOME,) if full and tokens != cap else ()
            judges = (*ignored, *uncalled, *look.by_end(x, answer.reasons))
            yield violation(where, expected='"length"', got=got, so=so, causes=judges)


@rule(
    row="tools/20",
    level=Level.SHOULD,
    of=NO_PARAMETERS,
    source="OpenAPI document, arguments: in JSON format; clients parse it",
)
def no_parameters_are_an_empty_object(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A call of a function without parameters has a JSON object as its arguments, and not an empty text."""
    if nothing := asked.uncalled(x):
        yield nothing
        return
    cut = asked.cut(x)
    for call in asked.telling(x):
        texts = [text for text in call.given if text is not None]
        if not all(isinstance(text, str) for text in texts):
            yield no_evidence(f"{call.where}, arguments", expected="a text", got=texts[0], causes=JOINS)
        elif call.choice in cut and call.value is None:
            yield no_evidence(f"{call.where}, arguments", expected="a whole call", got="cut at the cap")
        elif not isinstance(call.value, dict):
            so = "a client that parses the text falls over: JSON is never empty"
            unsaid = not call.given and not (chat.asks_for_stream(x) and call.named)
            plainly = (asked.SHAPED,) if unsaid else ()  # no such key, or no function at all
            judges = JOINS if call.arguments.strip() else (asked.INDEXED + causes.SOME, *plainly)
            got = call.arguments or "an empty text"
            yield violation(f"{call.where}, arguments", expected="{}", got=got, so=so, causes=judges)


@rule(
    row="tools/24",
    level=Level.SHOULD,
    of=OFFERED,
    source="what agents show to their users; llama.cpp issue 27733, vLLM's tool parsers",
)
def no_markup_is_left_in_the_content(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The content of an answer holds no raw markup of calls, and is no call told in JSON or as a program would write
    it."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    made, cut, known = tools.calls(x), asked.cut(x), tools.offered(x)
    for index, answer in chat.answers(x).items():
        where, expected = f"choice {index}, content", "words alone"
        if found := markers.CALLS.search(answer.content):
            got = answer.content[max(found.start() - 20, 0) : found.end() + 60]
            so = "an agent shows it to its user as an answer, and the call in it is never made"
            yield violation(where, expected=expected, got=got, so=so)
        elif tools.is_told_in(answer.content, {call.name for call in made.get(index, ())}):
            so = "an agent shows JSON to its user, and the model reads its call twice in the history"
            yield violation(where, expected=expected, got=answer.content, so=so)
        elif not made.get(index) and tools.is_told_in(answer.content, known.keys()):
            so = "an agent shows it to its user as an answer, and the call in it is never made"
            yield violation(where, expected=expected, got=answer.content, so=so, causes=asked.judges(x))
        elif not answer.content and not made.get(index) and not answer.reasoning and index not in cut:
            by = asked.judges(x)
            got, judges = "neither words nor calls", (*by, *(each + causes.SOME for each in by), *look.by_content(x))
            yield no_evidence(f"choice {index}", expected="an answer", got=got, causes=judges)
