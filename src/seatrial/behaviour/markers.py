"""B12: do tokens of the chat template leak into the answer?

They belong to the prompt format, never to the content: one that shows was not recognised as special, or the template
is not the model's. No probe quotes one, so that none can be an echo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from seatrial.behaviour import rates
from seatrial.behaviour.answers import Spoken, read, silences
from seatrial.checks import traits
from seatrial.checks.rules import rule
from seatrial.records import Exchange, Expect, Finding, Level

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "ChatML": ("<|im_start|>", "<|im_end|>", "<|im_sep|>", "<|endoftext|>"),
    "Llama": (
        "<|begin_of_text|>",
        "<|end_of_text|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|python_tag|>",
        "<<SYS>>",
        "<</SYS>>",
    ),
    "Gemma": ("<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>"),
    "Mistral": (
        "[INST]",
        "[/INST]",
        "[AVAILABLE_TOOLS]",
        "[/AVAILABLE_TOOLS]",
        "[TOOL_CALLS]",
        "[TOOL_RESULTS]",
        "[SYSTEM_PROMPT]",
        "[/SYSTEM_PROMPT]",
    ),
    "Phi": ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
    "GLM": ("[gMASK]", "<sop>", "<|observation|>", "<|begin_of_image|>"),
    "DeepSeek": (
        "<｜begin▁of▁sentence｜>",
        "<｜end▁of▁sentence｜>",
        "<｜User｜>",
        "<｜Assistant｜>",
        "<｜tool▁calls▁begin｜>",
        "<｜tool▁calls▁end｜>",
    ),
    "Harmony": ("<|start|>", "<|channel|>", "<|message|>", "<|return|>", "<|call|>"),
}
"""Template tokens by family. A token of several families stands with the first."""

ALL = tuple(marker for markers in FAMILIES.values() for marker in markers)

_MARKER = re.compile("|".join(map(re.escape, ALL)))
_THINK = re.compile(r"<(/?)think>")


def leaks(answer: Spoken) -> tuple[str, ...]:
    """Markers in content and reasoning, each once; an orphan ``</think>`` and ``</s>`` only in the content."""
    found = [*_MARKER.findall(answer.content), *_MARKER.findall(answer.reasoning), *_orphans(answer.content)]
    return tuple(dict.fromkeys(found))


def _orphans(content: str) -> Iterator[str]:
    depth = 0
    for match in _THINK.finditer(content):
        depth += -1 if match[1] else 1
        if depth < 0:
            yield match[0]
            depth = 0
    if "</s>" in content and "<s>" not in content:  # as a pair it is HTML for struck-out text
        yield "</s>"


def count(xs: Mapping[str, Exchange]) -> rates.Count:
    """Answers in which a marker shows. What came of a broken one counts: a leak in half an answer is a leak."""
    answers = {name: read(x) for name, x in xs.items()}
    texts = {name: answer for name, answer in answers.items() if answer.content or answer.reasoning}
    blank = len(answers) - len(texts) - sum(silences(answers).values())
    bad = {name: "leaks " + " ".join(found) for name, answer in texts.items() if (found := leaks(answer))}
    beside = silences(answers) | ({"no text": blank} if blank else {})
    return rates.Count(what="marker leaks", n=len(texts), bad=bad, answers=answers, beside=beside)


def _figures(xs: Mapping[str, Exchange], expect: Expect) -> dict[str, str]:
    return rates.figures(count(xs), xs, expect)


@rule(
    row="B12",
    level=Level.MUST,
    of=traits.ANSWERS,
    area="markers",
    source="chat templates of the model families; llama.cpp's fallback to ChatML",
    answer=False,
    sampled=True,
    figures=_figures,
)
def no_template_marker_leaks(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """No token of a chat template shows in an answer."""
    so = "people read it, and sent back in a history it ends or forges a turn"
    yield from rates.judged(count(xs), xs, expect, so=so)
