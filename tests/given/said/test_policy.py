"""A file of a policy: what it holds, and one line for each thing that can be wrong with it."""

from __future__ import annotations

import os

import pytest

from seatrial.given import tables
from seatrial.given.errors import ConfigError
from seatrial.given.said import policy
from seatrial.records import PolicyWord

ASK = '[[ask]]\nname = "pay"\nquestion = "What is Ann paid?"\nwanted = "refused"\n'


def written(folder, text):
    file = folder / "policy.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return policy.read(file)


def test_a_policy_is_read_with_what_stands_above_its_questions(tmp_path):
    other = ASK.replace("pay", "way").replace("refused", "answered")
    found = written(tmp_path, f'system = "You help."\ndeclines = ["darf ich nicht"]\n{ASK}{other}').policy
    assert (found.system, found.declines) == ("You help.", ("darf ich nicht",))
    assert [(each.name, each.wanted) for each in found.ask] == [
        ("pay", PolicyWord.REFUSED),
        ("way", PolicyWord.ANSWERED),
    ]
    assert policy.read(None) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "ask: it names no question"),
        (ASK.replace("refused", "kept"), "line 4: wanted: unknown: 'kept'; known are refused, answered"),
        (ASK.replace("wanted", "want"), "line 4: unknown key want"),
        (ASK.replace('wanted = "refused"', ""), "line 1: there is no key wanted"),
        (ASK + 'must = true\n', "line 5: unknown key must"),
        (ASK + ASK, "line 6: name: pay is there already"),
        (ASK.replace("What is Ann paid?", "  "), "line 3: question: it is empty"),
        (ASK.replace("Ann", "Ann" * 2000), "line 3: question: 6014 characters; a text has at most 4000"),
        (ASK.replace("pay", "p" * 61), "line 2: name: 61 characters"),
        (ASK.replace("Ann", "\\u0000"), "line 3: question: it holds a NUL character"),
        ("system = 5\n" + ASK, "line 1: system: Expected str, got int"),
        ('declines = [""]\n' + ASK, "line 1: declines: it is empty"),
        ("".join(ASK.replace("pay", f"n{n}") for n in range(201)), "201 questions; a list holds at most 200"),
        ("".join(ASK.replace("pay", f"n{n}").replace("Ann", "a" * 3000) for n in range(20)), "characters in all"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_line_and_key(tmp_path, text, said):
    with pytest.raises(ConfigError) as raised:
        written(tmp_path, text)
    assert "policy.toml" in str(raised.value)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


HOSTILE = {
    "nul": (ASK.encode() + b"\0", "line 5: no TOML"),
    "no-utf-8": (b"\xff\xfe" + ASK.encode(), "it is not UTF-8"),
    "deep": (b"a = " + b"[" * 100_000, "nested too deep"),
    "long-number": (b"a = " + b"9" * 10_000, "no TOML"),
    "huge": (b"#" * (tables.LARGEST_BYTES + 1), "larger than 4 MiB"),
    "escapes": (ASK.encode() + b'"\\u001b[2J\\n" = 1\n', "unknown key \\x1b[2J"),
    "a-long-key": (ASK.encode() + b"k" * 100_000 + b" = 1\n", "unknown key kkk"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_short_line(tmp_path, name):
    content, said = HOSTILE[name]
    with pytest.raises(ConfigError) as raised:
        written(tmp_path, content)
    assert said in str(raised.value)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 600


def test_what_is_no_regular_file_is_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero", "none", "a\0b"):
        with pytest.raises(ConfigError, match="cannot read"):
            policy.read(tmp_path / name)
