"""Rules on what a server claims of itself."""

import json

import pytest

from tests.checks.specimens import breaks, choice, exchange, found, holds, plain, refused

CLAIMS = [
    ["tools", "GET /props", "caps.tools", ""],
    ["tools", "POST /api/show", "capabilities", "tools"],
    ["images", "GET /props", "modalities.vision", ""],
    ["parts", "GET /props", "caps.parts", ""],
    ["thought", "GET /props", "caps.thought", ""],
    ["context", "GET /props", "n_ctx", ""],
    ["context", "GET /v1/models", "data.0.max_model_len", ""],
]
SETTINGS = {"claims": CLAIMS}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def page(value):
    return exchange(json.dumps(value).encode(), method="GET")


def props(tools=True, parts=True, thought=True, vision=False, n_ctx=8):
    caps = {"tools": tools, "parts": parts, "thought": thought}
    return page({"caps": caps, "modalities": {"vision": vision}, "n_ctx": n_ctx})


def server(**answers):
    called = plain(
        {"choices": [choice(None, finish="tool_calls", message={"role": "assistant", "tool_calls": [CALL]})]}
    )
    thought = {"role": "assistant", "content": "42", "reasoning_content": "Six sevens."}
    sound = {
        "GET /props": props(),
        "POST /api/show": refused(404),
        "GET /v1/models": page({"data": [{"max_model_len": 8}]}),
        "tools": called,
        "parts": plain(),
        "image": refused(400),
        "thought": plain({"choices": [choice(message=thought)]}),
    }
    return sound | {
        name.replace("props", "GET /props").replace("show", "POST /api/show"): x for name, x in answers.items()
    }


def test_tools_are_as_claimed():
    rule = "claims/tools-are-as-claimed"
    holds(rule, [server(), server(show=page({"capabilities": ["tools"]}))], settings=SETTINGS)
    assert breaks(rule, server(tools=plain()), "GET /props", "not seen: 200", settings=SETTINGS).causes
    breaks(rule, server(props=props(tools=False)), "GET /props: caps.tools", "seen", settings=SETTINGS)
    breaks(rule, server(show=page({"capabilities": []})), "POST /api/show", "seen", settings=SETTINGS)


def test_images_are_as_claimed():
    rule = "claims/images-are-as-claimed"
    holds(rule, [server(), server(image=plain(), props=props(vision=True))], settings=SETTINGS)
    breaks(rule, server(props=props(vision=True)), "modalities.vision", "not seen: 400", settings=SETTINGS)
    breaks(rule, server(image=plain()), "modalities.vision", "seen", settings=SETTINGS)


def test_thought_is_as_claimed():
    rule = "claims/thought-is-as-claimed"
    holds(rule, [server(), server(thought=plain(), props=props(thought=False))], settings=SETTINGS)
    breaks(rule, server(thought=plain()), "caps.thought", "not seen", settings=SETTINGS)
    breaks(rule, server(props=props(thought=False)), "caps.thought", "seen", settings=SETTINGS)


def test_parts_are_as_claimed():
    rule = "claims/parts-are-as-claimed"
    holds(rule, [server(), server(props=props(parts=False))], settings=SETTINGS)
    breaks(rule, server(parts=refused(400)), "caps.parts", "not seen: 400", settings=SETTINGS)


def test_context_is_claimed_alike():
    rule = "claims/context-is-claimed-alike"
    holds(rule, [server(), server(props=props(n_ctx="8")), server(props=refused(404))], settings=SETTINGS)
    breaks(rule, server(props=props(n_ctx=16)), "the context", "GET /props: n_ctx: 16", settings=SETTINGS)
    assert [f.optional for f in found(rule, server(), settings={})] == [True]


@pytest.mark.parametrize("rule", ["tools-are-as-claimed", "images-are-as-claimed", "thought-is-as-claimed"])
def test_who_claims_nothing_has_nothing_to_keep_and_who_is_busy_shows_nothing(rule):
    silent = server(props=refused(404))
    assert [f.optional for f in found(f"claims/{rule}", silent, settings=SETTINGS)] == [True]
    busy = server(tools=refused(503), image=refused(503), thought=refused(503))
    assert [f.kind for f in found(f"claims/{rule}", busy, settings=SETTINGS)] == ["no-evidence"]
