"""The operator's own tools: a file of OpenAI tools, or the set of a client that is known by name."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatrial.given import tables, words
from seatrial.given.errors import ConfigError
from seatrial.text import visible

MOST = 128
"""Tools of a request, says the OpenAPI document."""

LARGEST_BYTES = 4 * 1024 * 1024
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
OPTION = "--tools"


@dataclass(frozen=True, slots=True)
class Toolset:
    """Tools as a client offers them. ``source`` is what was given: a file, or a client's name."""

    source: str
    tools: tuple[dict[str, Any], ...]


def read(given: str | None, known: Callable[[], Mapping[str, bytes]]) -> Toolset | None:
    """The set that ``--tools`` names; None where it names none.

    Args:
        given: a file, or the name of a client.
        known: gives the sets of clients by name.

    Raises:
        ConfigError: there is no such file and no such client, or it holds no OpenAI tools.
    """
    if given is None:
        return None
    path = Path(given).absolute()
    if words.is_file(path):
        if path.stat().st_size > LARGEST_BYTES:
            raise ConfigError(f"{OPTION}={visible(given, 200)}: larger than {LARGEST_BYTES // 1024 // 1024} MiB")
        return Toolset(given, _tools(tables.content(path), given))
    sets = known()
    if given not in sets:
        names = ", ".join(sets)
        raise ConfigError(f"{OPTION}={visible(given, 200)}: no such file, and no client is known by it; known: {names}")
    return Toolset(given, _tools(sets[given], given))


@functools.lru_cache(maxsize=4)
def _tools(raw: bytes, given: str) -> tuple[dict[str, Any], ...]:
    """The tools of a file: a list, or an object that holds it as ``tools``, as a request does."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong(given, "it is not UTF-8") from None
    value = words.json_value(f"{OPTION}={visible(given, 200)}", text)
    listed = value.get("tools") if isinstance(value, dict) else value
    if not isinstance(listed, list):
        raise _wrong(given, 'a list of tools is wanted, [{"type": "function", "function": {...}}], or {"tools": [...]}')
    if not listed:
        raise _wrong(given, "it holds no tool")
    if len(listed) > MOST:
        raise _wrong(given, f"{len(listed)} tools; a request may offer {MOST}")
    seen: dict[str, int] = {}
    for number, tool in enumerate(listed, 1):
        if amiss := _amiss(tool):
            raise _wrong(given, f"tool {number} of {len(listed)}: {amiss}")
        name = tool["function"]["name"]
        if name in seen:
            raise _wrong(given, f"tools {seen[name]} and {number} are both called {name}")
        seen[name] = number
    return tuple(listed)


FIELDS: dict[str, tuple[type, str]] = {
    "description": (str, "a text"),
    "parameters": (dict, "an object"),
    "strict": (bool, "true or false"),
}
"""What a function may have beside its name, and of what type that is."""


def _amiss(tool: Any) -> str:
    """What is wrong with a tool; empty where nothing is."""
    if not isinstance(tool, dict):
        return "no JSON object"
    if tool.get("type") != "function":
        return f'its type is {_shown(tool.get("type"))}; "function" is wanted'
    function = tool.get("function")
    if not isinstance(function, dict):
        return "it has no object called function"
    name = function.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return f"its name is {_shown(name)}; letters, digits, _ and - are wanted, 64 at most"
    for key, (kind, what) in FIELDS.items():
        if function.get(key) is not None and not isinstance(function[key], kind):
            return f"{name}: its {key} is {_shown(function[key])}; {what} is wanted"
    return ""


def _shown(value: Any) -> str:
    return visible(json.dumps(value, ensure_ascii=False), 80)


def _wrong(given: str, what: str) -> ConfigError:
    return ConfigError(f"{OPTION}={visible(given, 200)}: {what}")
