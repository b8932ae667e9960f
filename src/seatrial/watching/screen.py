"""The watch on a terminal: two lines per target, rewritten each second, and the stops below.

A state is said by its word; colour only helps to find it: blue for what lives, orange for what does not, which the
colour-blind can tell apart.
"""

from __future__ import annotations

import os

from rich.console import Group
from rich.table import Table
from rich.text import Text

from seatrial.records import SECOND, Gpu, Probe
from seatrial.report.words.plain import Wall, count, duration, size
from seatrial.report.words.stops import headline
from seatrial.text import signal_name, visible
from seatrial.verdict.watched import weight
from seatrial.watching.view import STALE_NS, TargetView, View

GOOD, BAD, FAINT = "bold blue", "bold dark_orange", "dim"
STOPS_SHOWN = 8
GAP = "   "
NO_GPU = "no GPU on this host"


def draw(view: View, wall: Wall, *, judged_by: str = "") -> Group:
    """The whole screen.

    Args:
        view: of the record so far.
        wall: labels for its times.
        judged_by: the command that judges the record, where it is kept.
    """
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for target in view.targets.values():
        word, good = state_word(target, view.now)
        table.add_row(Text(target.name), Text(word, GOOD if good else BAD if good is False else FAINT),
                      Text(first_line(target, view, wall, judged_by)))  # fmt: skip
        if second := second_line(target, view):
            table.add_row("", "", Text(second))
    return Group(table, *stop_lines(view, wall))


def stop_lines(view: View, wall: Wall) -> list[Text]:
    """The latest stops, the last one last."""
    told = sorted((s for t in view.targets.values() for s in t.stops.values()), key=lambda stop: stop.dead_at)
    lines = [Text(f"{len(told) - STOPS_SHOWN} earlier ones are not shown", FAINT)] if len(told) > STOPS_SHOWN else []
    shown = told[-STOPS_SHOWN:]
    return lines + [
        Text(f"{stop.name}  {headline(stop, wall, view.now)}", BAD if weight(stop) == "stop" else "") for stop in shown
    ]


def state_word(target: TargetView, now: int) -> tuple[str, bool | None]:
    """What a target is, in a word, and whether that is good; None: nobody can say yet."""
    lasting = target.lasting
    if lasting is not None:
        return lasting.family, False
    if target.ended is not None:
        return "ended", target.ended.status == 0 if target.job else False
    if target.living(now):
        return "lives", True
    if target.probe is not None and target.probe.health is not None and now - target.probe.t <= STALE_NS:
        return "answers", True
    return ("waited for", None) if target.probe is None or not target.pid else ("not seen", False)


def first_line(target: TargetView, view: View, wall: Wall, judged_by: str = "") -> str:
    """Up time, pid, and the rungs of the ladder from the socket to the canary; of a stop, when and how."""
    lasting = target.lasting
    if lasting is not None:
        how = signal_name(lasting.signal) if lasting.signal is not None else lasting.rung
        more = f"  ({judged_by})" if judged_by else ""
        return f"{wall.label(lasting.dead_at)}  {visible(how)}, pid {lasting.pid or 'not known'}{more}"
    if target.ended is not None:
        return f"{wall.label(target.ended.at)}  {ended_words(target.ended.status)}, pid {target.ended.pid}"
    up = target.up_s(view.now, view.boot_offset)
    parts = [f"up {duration(up)}" if up is not None else "", f"pid {target.pid}" if target.pid else ""]
    if not target.job:
        parts += [*_socket(target.probe), _scheduler(target), _canary(target, view.now)]
    shown = GAP.join(filter(None, parts))
    return shown or visible(target.note, 120) or "does not answer yet"


def ended_words(status: int | None) -> str:
    """``SIGKILL``, ``exit status 3``, or that it is not observable, of a raw wait status."""
    if status is None:
        return "how is not observable"
    code = os.waitstatus_to_exitcode(status & ~0x80 if status & 0x7F else status)
    return signal_name(-code) if code < 0 else f"exit status {code}"


def second_line(target: TargetView, view: View) -> str:
    """CPU, memory and GPU, each with what it is of; or why they cannot be had."""
    if target.lasting is not None and not target.living(view.now):
        return ""
    if not target.living(view.now):
        return visible(target.why, 120)
    parts = [_cpu(target, view)]
    memory = target.memory(view.now)
    parts.append("memory not readable" if memory is None else size(memory))
    if (others := len(target.living(view.now)) - 1) > 0:
        parts.append(f"with {count(others, 'process')[:-1] + 'es' if others > 1 else '1 process'} below it")
    return GAP.join([*parts, *gpu_words(target, view)])


def _socket(probe: Probe | None) -> list[str]:
    if probe is None:
        return ["does not answer yet"]
    words = [] if probe.listens is None else ["socket ok" if probe.listens else "no socket listens"]
    if probe.health is not None:
        took = f" {probe.health_ns / 1e6:.0f} ms" if probe.health_ns is not None else ""
        words.append(f"health{took}" if probe.health == 200 else f"health {probe.health}{took}")
    else:
        words.append(f"health: {visible(probe.error, 60) or 'no answer'}")
    return words


def _scheduler(target: TargetView) -> str:
    ask = target.scheduler
    if "scheduler" in target.skipped:
        return f"scheduler not asked ({visible(target.skipped['scheduler'], 60)})"
    if ask is None:
        return ""
    if not ask.ended_at:
        return "scheduler silent"
    return f"scheduler {(ask.ended_at - ask.asked_at) / 1e6:.0f} ms" if ask.outcome == "ok" else (
        f"scheduler: {visible(ask.outcome or ask.detail, 60)}"
    )  # fmt: skip


def _canary(target: TargetView, now: int) -> str:
    ask = target.canary
    if "canary" in target.skipped:
        return f"canary not sent ({visible(target.skipped['canary'], 60)})"
    waits = ""
    if target.asking is not None:
        waits = f"canary waits {duration(max(now - target.asking.asked_at, 0) / SECOND)}"
    if ask is None:
        return waits
    past = max(now - ask.ended_at, 0) // SECOND
    ago = duration(past) if past >= 10 else f"{past} s"
    if ask.outcome == "ok":
        took = f"canary {duration((ask.ended_at - ask.asked_at) / SECOND)}, {ago} ago"
        said = f"{took}, another answer than before" if ask.right is False else took
    else:
        said = f"canary {visible(ask.outcome, 60)}, {ago} ago"
    return f"{waits} (before: {said})" if waits else said


def _cpu(target: TargetView, view: View) -> str:
    now, life = target.cpu_now(view.now), target.cpu_life(view.now, view.boot_offset)
    since = "" if life is None else f" ({life * 100:.0f} % since its start)"
    if now is None:
        return f"CPU not read yet{since}"
    share, span = now
    return f"CPU {share * 100:.0f} % of one core in the last {span:.1f} s{since}"


def gpu_words(target: TargetView, view: View) -> list[str]:
    """A phrase per card, or why there is none."""
    if not view.gpus:
        none = view.gpu_note.startswith(NO_GPU)  # why not was said once, as trouble
        return [NO_GPU if none else f"GPU: {visible(view.gpu_note, 60) or 'not read yet'}"]
    return [_gpu(gpu, {str(pid) for pid in target.readings}) for _, gpu in sorted(view.gpus.items())]


def _gpu(gpu: Gpu, pids: set[str]) -> str:
    if gpu.error and gpu.busy is None and gpu.memory is None:
        return f"GPU {gpu.index}: {visible(gpu.error, 60)}"
    busy = "load not readable" if gpu.busy is None else f"busy {gpu.busy} % of its driver's last sample period"
    mine = [gpu.processes[pid] for pid in pids if pid in gpu.processes]
    sizes = [held for held in mine if held is not None]
    ours = "none of its memory ours" if not mine else f"{size(sum(sizes))} ours" if sizes else "our share is not told"
    return f"GPU {gpu.index}: {busy}, {ours}"
