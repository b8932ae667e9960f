"""``--tools``: a file of OpenAI tools or a known client; anything else is one line that names what is wrong."""

from __future__ import annotations

import json

import pytest

from seatrial.clients.sets import sets
from seatrial.given.errors import ConfigError
from seatrial.given.toolset import MOST, read
from tests import toolset


def given(path, value):
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    return read(str(path), sets)


@pytest.mark.parametrize("shape", [lambda tools: tools, lambda tools: {"model": "m", "messages": [], "tools": tools}])
def test_a_list_and_a_request_are_read(tmp_path, shape):
    found = given(tmp_path / "tools.json", shape(toolset.forty()))
    assert list(found.tools) == toolset.forty()


@pytest.mark.parametrize("name", list(sets()))
def test_the_set_of_a_known_client_is_read_and_says_where_it_comes_from(name):
    found = read(name, sets)
    assert len(found.tools) > 5
    told = json.loads(sets()[name])
    assert told["written"]
    assert told["source"]


def test_openclaw_is_known():
    names = {tool["function"]["name"] for tool in read("openclaw", sets).tools}
    assert {"exec", "process", "browser", "message", "cron", "sessions_spawn", "memory_search"} <= names


def test_none_is_none():
    assert read(None, sets) is None


def test_neither_a_file_nor_a_client_names_those_that_are_known():
    with pytest.raises(ConfigError, match=r"--tools=nnn.*: no such file.*openclaw"):
        read("n" * 5000, sets)
    with pytest.raises(ConfigError, match=r"--tools=nobody: no such file.*openclaw"):
        read("nobody", sets)


ONE = toolset.tool(1)


def named(**changes):
    return {**ONE, "function": {**ONE["function"], **changes}}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"{", "is no JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b'[{"type": NaN}]', "NaN"),
        (b"[" * 5000 + b"]" * 5000, "nested deeper"),
        (b'["\\ud800"]', "surrogate"),
        ("exec", "a list of tools is wanted"),
        ({"tool": []}, "a list of tools is wanted"),
        ([], "no tool"),
        ([named(name=f"t{n}") for n in range(MOST + 1)], "129 tools; a request may offer 128"),
        ([ONE, "exec"], "tool 2 of 2: no JSON object"),
        ([{"name": "exec", "parameters": {}}], 'tool 1 of 1: its type is null; "function" is wanted'),
        ([{"type": "function", "name": "exec"}], "tool 1 of 1: it has no object called function"),
        ([named(name="get weather")], 'its name is "get weather"'),
        ([named(name="a" * 65)], "64 at most"),
        ([named(name=None)], "its name is null"),
        ([named(parameters="city")], 'task_1: its parameters is "city"; an object is wanted'),
        ([named(strict="yes")], "task_1: its strict is"),
        ([ONE, ONE], "tools 1 and 2 are both called task_1"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path, value, says):
    with pytest.raises(ConfigError) as raised:
        given(tmp_path / "tools.json", value)
    assert says in str(raised.value)
    assert str(raised.value).isprintable()
    assert str(raised.value).startswith("--tools=")


def test_a_file_without_end_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("seatrial.given.toolset.LARGEST_BYTES", 100)
    with pytest.raises(ConfigError, match="larger than"):
        given(tmp_path / "tools.json", toolset.forty())
