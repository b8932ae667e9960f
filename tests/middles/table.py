"""The table: what each middle hides, and what the watch said, as a page of the documentation."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.middles.account import Account
from tests.middles.watches import ALONE, BEHIND, SHORT

HEAD = ("deed", "a running stream", "/health", "/v1/models", "a chat", "watched alone", "watched with `--behind`")
SEEN = ("stream", "/health", "/v1/models", "chat")


@dataclass
class Tried:
    """A middle, and what came of it."""

    title: str
    version: str = ""
    accounts: list[Account] = field(default_factory=list)
    not_tried: str = ""  # the reason
    trouble: list[str] = field(default_factory=list)  # what could not be carried out

    @property
    def wrong(self) -> list[str]:
        """All that is not as it should be."""
        told = [f"{a.deed}, {a.view}: {text}" for a in self.accounts for text in a.wrong]
        return [f"not tried: {self.not_tried}"] * bool(self.not_tried) + self.trouble + told


def markdown(found: list[Tried], seconds: float, took_s: float) -> str:
    """For docs/middles.md."""
    return "\n".join(_parts(found, seconds, took_s)) + "\n"


def _parts(found: list[Tried], seconds: float, took_s: float) -> Iterator[str]:
    yield "# What a middle hides"
    yield ""
    yield (
        f"Written by `python -m tests.middles` in {took_s / 60:.0f} minutes on {os.cpu_count()} cores, Linux "
        f"{platform.release().split('-')[0]}. Each middle stands in front of a real llama.cpp server and is watched "
        "twice at the same time: alone, and together with what stands behind it (`--behind`). The first columns say "
        "what a client of the middle is answered some seconds after the deed: `silent` is no answer within 4 s. What "
        "the watch said is its family, the door, the length of the interval in which it happened, the first broken "
        f"rung and the cause. Idle and loaded pairs were watched for {seconds:g} s each with the shipped limits, "
        f"strikes with `{' '.join(SHORT)}`. A middle that cannot be told to read its settings again is ended in order "
        "and started again."
    )
    for each in found:
        yield ""
        yield f"## {each.title} ({each.version})" if each.version else f"## {each.title}"
        yield ""
        if each.not_tried:
            yield f"Not tried: {each.not_tried}."
            continue
        yield "| " + " | ".join(HEAD) + " |"
        yield "|" + " --- |" * len(HEAD)
        for deed in dict.fromkeys(a.deed for a in each.accounts):
            of = {a.view: a for a in each.accounts if a.deed == deed}
            sees = of[ALONE].sees
            cells = [deed, *(sees.get(name, "-") for name in SEEN), _cell(of[ALONE]), _cell(of[BEHIND])]
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        for text in each.wrong:
            yield f"\n- Wrong: {text}"
    wrong = sum(len(each.wrong) for each in found)
    yield ""
    yield f"{len(found)} middles, {sum(len(each.accounts) for each in found)} watches: {wrong} wrong."


def _cell(account: Account) -> str:
    return f"{account.told}, exit {account.code}"
