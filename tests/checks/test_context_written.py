"""What an answer is made to hold, in the spelling of the request and in others."""

import html
import json
import unicodedata

import pytest

from seatrial.checks import causes
from tests.checks.calls import NAMED, call, calling, streamed
from tests.checks.specimens import ASKED, breaks, choice, found, holds, plain

RULE = "context/text-comes-as-it-was-written"
SCHEMA = {"type": "object", "properties": {"größe": {"enum": ["a <b> & c"]}}, "required": ["größe"]}
BOUND = ASKED | {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}}
SAID = json.dumps({"größe": "a <b> & c"}, ensure_ascii=False)
FAR = NAMED | {"messages": [{"role": "user", "content": "The weather in Zürich."}]}


def said(text):
    return plain({"choices": [choice(text)]}, asked=BOUND)


def far(city, ascii_=False):
    return calling(call(arguments=json.dumps({"city": city}, ensure_ascii=ascii_)), asked=FAR)


def nfd(text):
    return unicodedata.normalize("NFD", text)


def test_text_as_it_was_written():
    decomposed = plain({"choices": [choice(nfd(SAID))]}, asked=ASKED)
    holds(
        RULE, [said(SAID), said(json.dumps({"größe": "a <b> & c"})), said('{"gr'), far("Zürich"), far("Zürich", True)]
    )
    holds(
        RULE, [far("Paris"), far("Café &amp; Bar"), decomposed]
    )  # of what nobody wrote the model has its own spelling


@pytest.mark.parametrize(
    ("answer", "where", "got"),
    [
        (said(html.escape(SAID)), "what was to be JSON", "&quot;"),
        (said(html.escape(SAID)[:20]), "what was to be JSON", "&quot;"),
        (said(html.escape(SAID, quote=False)), "characters", "escaped for HTML"),
        (said(nfd(SAID)), "characters", "NFD"),
        (said(SAID.encode().decode("latin-1")), "characters", "Latin-1"),
        (said(SAID.replace("ö", "?").replace("ß", "?")), "characters", "question marks"),
        (said(json.dumps({nfd("größe"): "a <b> & c"})), "characters", "NFD"),
        (far(nfd("Zürich")), "characters", "NFD"),
        (calling(call(arguments="{&quot;city&quot;: &quot;x&quot;}"), asked=FAR), "what was to be JSON", "call 0"),
        (streamed({"index": 0, **call(arguments="{&quot;city&quot;: 1}")}, asked=FAR), "what was to be JSON", "&quot;"),
    ],
)
def test_text_that_is_rewritten(answer, where, got):
    breaks(RULE, answer, where, got)


ROCKET = {"type": "object", "properties": {"city": {"enum": ["Oslo-7 🚀"]}}, "required": ["city"]}
BOUND_FAR = ASKED | {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": ROCKET}}}
TOOL = {"type": "function", "function": {"name": "get_weather", "strict": True, "parameters": ROCKET}}


@pytest.mark.parametrize(
    ("city", "got"),
    [
        ("Oslo-7 ", "taken out"),
        ("Oslo-7", "taken out"),
        ("Oslo-7 ??", "question marks"),
        ("Oslo-7 \N{REPLACEMENT CHARACTER}", "U+FFFD"),
        ("Oslo-7 &#128640;", "numbers of HTML"),
    ],
)
def test_a_character_of_four_bytes_that_is_lost(city, got):
    text = json.dumps({"city": city})
    called = calling(call(arguments=text), asked=NAMED | {"tools": [TOOL]})
    for answer in (plain({"choices": [choice(text)]}, asked=BOUND_FAR), called):
        breaks(RULE, answer, "characters", got)
    [finding] = found("tools/strict-schemas-are-enforced", called)
    assert causes.WRITTEN[0] in finding.causes


def test_a_character_of_four_bytes_that_the_model_never_wrote():
    for city in ("Oslo-7 🚀", "Oslo-7 is cold", "Paris", "Is it Oslo-7?"):
        text = json.dumps({"city": city})
        holds(RULE, [plain({"choices": [choice(text)]}, asked=BOUND_FAR)])
        holds(RULE, [calling(call(arguments=text), asked=NAMED | {"tools": [TOOL]})])


def test_what_is_no_json_shows_nothing():
    assert [f.kind for f in found(RULE, said("Hello."))] == ["no-evidence"]


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("structured/answer-validates", said(html.escape(SAID))),
        ("structured/names-and-values-of-any-script-work", said(nfd(SAID))),
        ("tools/call-has-its-fields", calling(call(arguments="{&quot;city&quot;: 1}"), asked=FAR)),
    ],
)
def test_what_hangs_on_it(rule, answer):
    finding = next(f for f in found(rule, answer) if f.kind == "violation")
    assert causes.WRITTEN[0] in finding.causes
