"""An agent at work: a large system prompt, many tools, and a conversation that grows by calls and their results.

What the agent itself said before is made up, as the results are: so the prefix of a turn is known beforehand, and grows
by what a server may have kept. Several conversations go on at a time; the turns of one are in order. Where the context
of an endpoint is short, each of the three has a third of what fits.
"""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from load.users import words
from load.users.asked import AskedOf, Sending, chat, longest, tokens_of
from seatrial.given.workload import TrafficPart

KIND = "agent"

SYSTEM, TOOLS, TURNS = 1200, 12, 8
TASKS = (20, 120)
"""Words of what the agent is to do, where the part does not say."""

RESULTS = (20, 300)
"""Words of what a tool gives back."""

A_TOOL, A_CALL = 60, 30
"""Words to which the definition of a tool comes, and a call of it."""

A_TURN = 60
"""Words that a turn has at least, its call among them: where less fits, conversations are shorter."""

VERBS = ("read", "write", "search", "list", "move", "delete", "run", "fetch", "compare", "send")
NOUNS = ("file", "folder", "page", "message", "table", "process", "branch", "ticket")


def ask(part: TrafficPart, about: AskedOf, draw: Random, k: int) -> Sending:
    lane, step = k % about.lanes, k // about.lanes
    third = longest(about) // 3
    turns = max(1, min(part.turns or TURNS, third // A_TURN))
    conversation, turn = divmod(step, turns)
    story = Random(f"{about.seed}/{part.called}/{lane}/{conversation}")  # noqa: S311 - the same for all of its turns
    shared = Random(f"{about.seed}/{part.called}")  # noqa: S311
    length = min(SYSTEM if part.system is None else part.system, third)
    system = f"You are an agent on a computer.\n{words.text(shared, length)}"
    offered = tools(min(TOOLS if part.tools is None else part.tools, third // A_TOOL))
    messages = [{"role": "system", "content": system}, *history(story, offered, turn, part, third // turns)]
    extra: dict[str, Any] = {"tools": offered} if offered else {}
    if part.thinks:
        extra["reasoning_effort"] = "medium"
    return chat(about, part.called, messages, tokens_of(part, about, draw), **extra)


def history(
    story: Random, offered: list[dict[str, Any]], turn: int, part: TrafficPart, room: int
) -> list[dict[str, Any]]:
    """The conversation up to a turn: the first so many messages of the same story.

    Args:
        room: words that a turn may come to.
    """
    most = max(1, room - A_CALL)
    task = words.text(story, min(words.between(story, *(part.prompt or TASKS)), most))
    found: list[dict[str, Any]] = [{"role": "user", "content": task}]
    for n in range(turn):
        result = words.text(story, min(words.between(story, *RESULTS), most))
        if not offered:
            found += [{"role": "assistant", "content": result}, {"role": "user", "content": words.question(story)}]
            continue
        name, call = story.choice(offered)["function"]["name"], f"call_{n}"
        arguments = msgspec.json.encode({"path": f"/srv/{story.choice(words.WORDS)}", "limit": n}).decode()
        calls = [{"id": call, "type": "function", "function": {"name": name, "arguments": arguments}}]
        found += [
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": call, "content": result},
        ]
    return found


def tools(count: int) -> list[dict[str, Any]]:
    """So many tools, always the same."""
    names = [f"{verb}_{noun}" for noun in NOUNS for verb in VERBS]
    return [_tool(names[n % len(names)] + (f"_{n // len(names)}" if n >= len(names) else "")) for n in range(count)]


def _tool(name: str) -> dict[str, Any]:
    what = name.replace("_", " ")
    properties = {
        "path": {"type": "string", "description": f"Where to {what}."},
        "limit": {"type": "integer", "description": "How much of it, at most."},
    }
    parameters = {"type": "object", "properties": properties, "required": ["path"]}
    return {"type": "function", "function": {"name": name, "description": f"To {what}.", "parameters": parameters}}
