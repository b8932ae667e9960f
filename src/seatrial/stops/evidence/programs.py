"""Which program a process runs, from its fingerprint: its executable, and for interpreters what they interpret.

Paths are left out: an upgrade moves a program and makes no other of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from seatrial.records import Fact
from seatrial.stops.state.incarnations import Main

_VERSION = re.compile(r"[-0-9.]+[a-z]?$")
_DELETED = " (deleted)"

INTERPRETERS = frozenset(
    {"python", "pypy", "node", "nodejs", "bun", "deno", "java", "ruby", "perl", "php", "lua"}
    | {"sh", "bash", "dash", "zsh", "ksh", "ash", "busybox", "uv", "uvx"}
)
CODE = {"-c": "code", "-e": "code", "--eval": "code", "-m": "module", "-jar": "script", "--jar": "script"}
"""Options after which the program stands: as code, as a module's name, or as a file."""
VALUED = frozenset({"-W", "-X", "-cp", "-classpath", "--classpath", "-I", "-O", "-o", "-r", "--require", "--python"})
"""Options of interpreters whose next word is their value."""
COMMANDS = frozenset({"run", "tool"})
"""Words of a launcher (``uv run server.py``) that come before the program."""
MODELS = frozenset({"-m", "--model", "--model-path", "-hf", "--hf-repo"})


class Program(msgspec.Struct, frozen=True):
    """``exe`` without its folder, and what an interpreter runs. Empty: not known."""

    exe: str
    form: str = ""  # script, module, code; of an interpreter only
    name: str = ""

    @property
    def interprets(self) -> bool:
        """Whether the executable alone does not say which program it is."""
        return self.exe in INTERPRETERS

    def __str__(self) -> str:
        if not self.interprets:
            return self.exe
        return f"{self.exe} {self.name}".strip() if self.form != "module" else f"{self.exe} -m {self.name}"


def program_of(facts: dict[str, str]) -> Program | None:
    """The program of a fingerprint; None where its executable could not be read."""
    exe = exe_of(facts).rpartition("/")[2]
    if not exe:
        return None
    short = _VERSION.sub("", exe) or exe
    if short not in INTERPRETERS:
        return Program(exe)
    form, name = _interpreted(facts.get(Fact.ARGUMENTS, "").split(" ")[1:])
    return Program(short, form, name[:200])


def exe_of(facts: dict[str, str]) -> str:
    """The executable's path, also of one that is gone from the disk."""
    return facts.get(Fact.EXE, "").removesuffix(_DELETED)


def deleted(facts: dict[str, str]) -> bool:
    """Whether the executable had been removed or replaced on disk while the process ran."""
    return facts.get(Fact.EXE_DELETED) == "yes" or facts.get(Fact.EXE, "").endswith(_DELETED)


def another(old: dict[str, str], new: dict[str, str]) -> bool | None:
    """Whether two fingerprints are of different programs; None where one of them does not say."""
    a, b = program_of(old), program_of(new)
    if a is None or b is None:
        return None
    if a.exe != b.exe:
        return True
    if not a.interprets:
        return False
    if not a.name or not b.name:
        return None
    if {a.form, b.form} == {"module", "script"}:  # python -m vllm.server, and the script vllm that calls it
        return _stem(a) != _stem(b)
    return (a.form, a.name) != (b.form, b.name)


def model_of(facts: dict[str, str]) -> str:
    """The model a server's arguments name; empty where they name none."""
    program = program_of(facts)
    words = facts.get(Fact.ARGUMENTS, "").split(" ")
    names = MODELS - {"-m"} if program is not None and program.interprets else MODELS
    for word, value in zip(words, [*words[1:], ""], strict=True):
        name, equals, rest = word.partition("=")
        if name in names:
            return rest if equals else value
    return ""


def _interpreted(words: Sequence[str]) -> tuple[str, str]:
    """What an interpreter's words run: kind and name, of a script without its folder."""
    skip = False
    for at, word in enumerate(words):
        rest = words[at + 1 :]
        if skip:
            skip = False
        elif word in CODE:
            kind = CODE[word]
            name = " ".join(rest) if kind == "code" else (rest[0] if rest else "")
            return kind, name.rpartition("/")[2] if kind == "script" else name
        elif word in VALUED:
            skip = True
        elif word and not word.startswith("-") and word not in COMMANDS and not _runs_python(word):
            return "script", word.rpartition("/")[2]
    return "", ""


def _runs_python(word: str) -> bool:
    """A launcher's own word for the interpreter: ``uv run python server.py``."""
    return _VERSION.sub("", word.rpartition("/")[2]) == "python"


def _stem(program: Program) -> str:
    return program.name.split(".")[0]


FORWARDERS = frozenset(
    {"docker-proxy", "rootlesskit", "slirp4netns", "pasta", "socat", "ssh", "sshd", "kubectl"}
    | {"nginx", "haproxy", "envoy", "caddy", "traefik"}
)
"""Programs that hand connections on. A forwarder that lives and idles says nothing of the server behind it."""


def forwards(main: Main | None) -> bool:
    """Whether the watched process only hands connections on."""
    return main is not None and main.facts.get(Fact.EXE, "").rsplit("/", 1)[-1] in FORWARDERS
