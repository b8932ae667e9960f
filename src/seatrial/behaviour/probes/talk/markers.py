"""B12: do tokens of the chat template leak into the answer?

They belong to the prompt format, never to the content: one that shows was not recognised as special, or the template
is not the model's. No probe quotes one, so that none can be an echo: the items of all probes are read, and one leak is
one too many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import ProbeItem
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probes.talk.questions import TALK
from seatrial.behaviour.probing import probe
from seatrial.reading.markers import ANY
from seatrial.records import Exchange, ItemWord, Level
from seatrial.statistics.sequential import SequentialTest

_THINK = re.compile(r"<(/?)think>")


def leaks(answer: Spoken) -> tuple[str, ...]:
    """Markers in content and reasoning, each once; an orphan ``</think>`` and ``</s>`` only in the content."""
    found = [*ANY.findall(answer.content), *ANY.findall(answer.reasoning), *_orphans(answer.content)]
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


@probe(
    row="B12",
    area="markers",
    what="marker leaks",
    maker=TALK,
    everywhere=True,
    test=SequentialTest(0.0, 0.08, 60),
    level=Level.MUST,
    source="chat templates of the model families; llama.cpp's fallback to ChatML",
    so="people read it, and sent back in a history it ends or forges a turn",
    broken=True,
    thought=True,
)
def no_template_marker_leaks(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """No token of a chat template shows in an answer."""
    if found := leaks(answer):  # a leak in half an answer is a leak
        return bad("leaks " + " ".join(found))
    return good() if answer.content or answer.reasoning else Verified(ItemWord.SILENT, "no text")
