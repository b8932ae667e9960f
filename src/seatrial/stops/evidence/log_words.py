"""What a server's own last words claim.

A log is a witness, not proof: it names a cause only where the kernel agrees.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

Claim = Literal["bad_alloc", "cuda", "abort", "memory", "shutdown", "failure"]

CLAIMS: tuple[tuple[Claim, re.Pattern[str]], ...] = (
    ("bad_alloc", re.compile(r"bad_alloc")),
    ("cuda", re.compile(r"(?i)\b(cuda|hip|rocm|cublas|nccl|vulkan)\w*[ :_]+(?:runtime )?error|CUDA_ERROR_|cudaError")),
    ("abort", re.compile(r"GGML_ASSERT|GGML_ABORT|ggml_abort|terminate called|[Aa]ssert(ion)?\b.*fail|^\s*what\(\):")),
    ("memory", re.compile(r"(?i)\boom\b|oom[-_ ]?kill|out of memory|killed process \d")),
    (
        "shutdown",
        re.compile(r"(?i)shutting down|shutdown|cleaning up before exit|received (signal|sig)|SIG(TERM|INT|HUP)"),
    ),
    ("failure", re.compile(r"(?i)\b(unhandled |uncaught )?exception\b|\bpanic(ked)?\b|\bfatal\b|traceback \(most")),
)
"""What a line claims, the most exact first: a line that names the exception says more than the one before it."""
LAST = 12
"""Lines at the end in which the reason of an end would stand."""
SHOWN = 160


class Word(msgspec.Struct, frozen=True):
    """One claim, and the line that makes it."""

    claim: Claim
    line: str


def words(lines: Iterable[str]) -> tuple[Word, ...]:
    """The claims of a log's last lines, each once, by the last line that makes it; the most exact first."""
    last = [line.strip() for line in lines if line.strip()][-LAST:]
    found: dict[Claim, str] = {}
    for line in last:
        claim = next((claim for claim, pattern in CLAIMS if pattern.search(line)), None)
        if claim is not None and not (claim == "abort" and "abort" in found):
            found[claim] = line[:SHOWN]
    return tuple(Word(claim, found[claim]) for claim, _ in CLAIMS if claim in found)


def said(lines: Iterable[str], claim: Claim) -> str:
    """The line that makes a claim; empty where none does."""
    return next((word.line for word in words(lines) if word.claim == claim), "")
