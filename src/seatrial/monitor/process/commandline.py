"""Command lines as they may be shown: the secrets in them are ``*``.

Whoever starts a server writes its key into its command line, and a wrapper (``sh -c``) puts a whole command line into
one word of its own. What is not known to be harmless there is hidden: a word too many is no loss, a key is.
"""

from __future__ import annotations

import re

_NOUN = r"(?:key|token|secret|password|passwd|credential|auth)"
_SECRET = re.compile(rf"(?i){_NOUN}")
"""A name that holds one of these names a secret."""

_TAKES_ANY = re.compile(r"(?i)-(?:[\w-]*[-_])?(?:api)?(?:key|token|secret|password|passwd|credentials?)|-hft")
"""An option whose name ends so takes the next word, whatever that begins with. ``-hft``: llama.cpp's ``--hf-token``."""

_TRACE = re.compile(rf"(?i){_NOUN}|cookie|bearer|basic|://|-hft")
"""Where none of these stands nothing is hidden: most words of a long template are passed over so."""

LONGEST = 1000
"""Characters of a word that are looked at, and shown: patterns take long on a long one, and the heartbeat waits."""

_HEADERS = frozenset({"-H", "--header", "--headers"})
_HEADER = re.compile(r"([A-Za-z][\w-]*): ?.+", re.DOTALL)

_FIELD = re.compile(rf"(?i)((?:^|[^A-Za-z])(?:cookie|authorization|(?:[A-Za-z]+[-_])*(?:api)?{_NOUN})[\"']?:)(.*)")
"""``Authorization:`` of a header, ``"api_key":`` of JSON; not ``monkey:7b``."""

_SCHEME = re.compile(r"(?i)(?:^|[^A-Za-z])(?:bearer|basic)$")
_LOGIN = re.compile(r"://[^\s/?#]+@")
_PARAMETER = re.compile(rf"(?i)([?&;][^?&;=\s]*{_NOUN}[^=&\s]*)=[^&\s]*")

_NO, _ANY, _VALUES, _REST = range(4)
"""What is hidden of the words to come: nothing; the next, whatever it is, then as follows; all up to an option; all up
to an option of the same argument."""


def without_secrets(arguments: list[str]) -> list[str]:
    """A command line in which the values of options that name a secret are ``*``, and so are logins and headers."""
    shown: list[str] = []
    hide, before = _NO, ""
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if hide == _ANY or (hide == _VALUES and not argument.startswith("-")):
            shown.append("*")
            hide = _VALUES
        elif argument.startswith("-") and equals and not re.search(r"\s", name) and _secret(name):
            shown.append(f"{name}=*")
            hide = _NO
        elif before in _HEADERS and (header := _HEADER.fullmatch(argument)):
            shown.append(f"{header.group(1)}: *")
            hide = _NO
        else:
            text, hide = _inside(argument)
            shown.append(text)
            hide = _NO if hide == _REST else hide
        before = argument
    return shown


def _inside(argument: str) -> tuple[str, int]:
    """An argument without the secrets among its words, and what is to be hidden of the arguments after it."""
    if not _TRACE.search(argument) and len(argument) <= LONGEST:
        return argument, _NO
    hide, quote = _NO, ""
    shown: list[str] = []
    for part in re.split(r"(\s+)", argument):
        harmless = hide == _NO and not quote and len(part) <= LONGEST and not _TRACE.search(part)
        if harmless or not part or part.isspace():
            shown.append(part)
        elif quote:
            shown.append("*")
            quote = "" if part.endswith(quote) else quote
        elif hide == _ANY or (hide != _NO and not part.lstrip("\"'").startswith("-")):
            shown.append("*")
            hide = _REST if hide == _REST else _VALUES
        else:
            text, hide, quote = _word(part if len(part) <= LONGEST else f"{part[:LONGEST]}…")
            shown.append(text)
    return "".join(shown), hide


def _word(word: str) -> tuple[str, int, str]:
    """A word without secrets, what is to be hidden after it, and the quote that ends a value it begins."""
    name, equals, value = word.partition("=")
    option = word.lstrip("\"'").startswith("-")
    if equals and _secret(name) and "://" not in name:
        mark = value[:1] if value[:1] in ("'", '"') and not value[1:].endswith(value[:1]) else ""
        return f"{name}=*", _NO, mark
    if field := _FIELD.search(word):
        return word[: field.end(1)] + ("*" if field.group(2) else ""), _REST, ""
    if _SCHEME.search(word):
        return word, _REST, ""
    if option and not equals and _secret(word):
        return word, _ANY if _TAKES_ANY.fullmatch(word.strip("\"'").replace("--", "-", 1)) else _VALUES, ""
    return _PARAMETER.sub(r"\1=*", _LOGIN.sub("://*@", word)), _NO, ""


def _secret(name: str) -> bool:
    return name.strip("\"'") == "-hft" or bool(_SECRET.search(name))
