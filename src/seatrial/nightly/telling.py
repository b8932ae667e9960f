"""Who is told of a night: the operator's command, where something is worse than before, and the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from seatrial.nightly.config import NightlyConfig
from seatrial.records import Changes, Nightly, NightMeasure, NightRun
from seatrial.report.words.nights import named
from seatrial.report.words.plain import duration
from seatrial.text import visible
from seatrial.verdict import since
from seatrial.watching.hook import LONGEST, OperatorCommand, without_keys
from seatrial.wire.masking.mask import Mask

Say = Callable[[str], None]


def run_hook(config: NightlyConfig, state: Nightly) -> str:
    """Run the operator's command once for what is worse; what went wrong with it.

    It gets the whole of latest.json on its input, and facts in its environment; of keys and headers it gets none.
    """
    mask = Mask(None).also([access.key for access in config.accesses if access.key])
    for access in config.accesses:
        mask = mask.also(list(access.headers.values()))
    said = {
        "SEATRIAL_JOB": state.job,
        "SEATRIAL_NIGHT": state.night,
        "SEATRIAL_EXIT": "" if state.exit is None else str(state.exit),
        "SEATRIAL_WORSE": "; ".join(state.worse),
        "SEATRIAL_ENDPOINTS": " ".join(dict.fromkeys(line.partition(":")[0] for line in state.worse)),
        "SEATRIAL_LATEST": str(config.latest),
    }
    hidden = {name for target in config.targets for name in target.header_env.values()}
    ours = {name: text for name, text in without_keys(config.accesses).items() if name not in hidden}
    told = {name: mask.text(visible(text, LONGEST)) for name, text in said.items()}
    try:
        trouble = OperatorCommand(config.hook, mask).run(mask.bytes(msgspec.json.encode(state)), {**ours, **told})
    except OSError as error:
        trouble = f"cannot be run: {error.strerror or type(error).__name__}"
    return trouble


def lines(run: NightRun) -> Iterator[str]:
    """A run of a night on the screen."""
    words = [str(run.word), duration(run.seconds)]
    if run.counts:
        counted = [f"{word} {run.counts[word]}" for word in ("PASS", "FAIL", "INCONCLUSIVE") if word in run.counts]
        words += [*counted, f"silent stops: {sum(run.stops.values())}"]
    yield f"{run.endpoint:<10} {'  '.join(words)}"
    if run.why:
        yield f"{'':<12} {visible(run.why, 300)}"
    figures = [named(measure, run.measured[measure]) for measure in NightMeasure if measure in run.measured]
    if figures:
        yield f"{'':<12} {', '.join(figures)}"
    if run.changes is not None:
        yield f"{'':<12} since {_since(run.changes)}"


def _since(changes: Changes) -> str:
    return visible(since.told(changes), 600)
