"""One night of a job: an endpoint after the other, what changed, who is told, what is kept.

``latest.json`` is written before the first run, after each, and at the end; a night that is cut leaves it as it stood,
by which the next one tells it.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from seatrial.given.errors import ConfigError
from seatrial.nightly import child, keeping, outcome, state, telling, textfile
from seatrial.nightly.config import NightlyConfig, NightTarget
from seatrial.records import HookTold, JobWord, Nightly, NightRun, NightsKept, NightWord
from seatrial.report.allure import past
from seatrial.report.words.plain import count
from seatrial.run.directory import new_path
from seatrial.run.previous import goes_on
from seatrial.run.writer import RunDirError, write_atomically
from seatrial.servers import locks
from seatrial.text import visible
from seatrial.verdict.outcomes import EXIT_INCONCLUSIVE, EXIT_READY

FOLDERS = ("runs", "logs", f"runs/{past.FOLDER}")
"""Of the directory of a job. In the last Allure's own history of each endpoint is kept."""

NO_TURN = "the night was ended before its turn"


class JobNight:
    """A night that is about to begin.

    Args:
        config: of the job.
        say: takes a line for the screen.
    """

    def __init__(self, config: NightlyConfig, say: telling.Say) -> None:
        self._config, self._say = config, say
        self._child = child.RunChild()
        self._notices: list[str] = []

    def run(self) -> int:
        """The whole night; its exit status.

        Raises:
            ConfigError: another night of the job goes on, or the directory is another job's.
            RunDirError: the directory cannot be written.
        """
        config = self._config
        try:
            for folder in FOLDERS:
                (config.directory / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"cannot make {config.directory}: {error.strerror}; name another directory") from error
        handle = state.alone(config.directory)
        try:
            with _ended_by(self._child):
                return self._night(handle)
        finally:
            os.close(handle)

    def _night(self, handle: int) -> int:
        config = self._config
        before = state.latest(config.directory)
        if before is None and config.latest.exists():
            self._notice(f"{state.LATEST} cannot be read: whether the last night was cut, nobody knows")
        kept = state.nights(config.directory, config.name)
        now = Nightly(
            job=config.name,
            night=datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            state=JobWord.RUNNING,
            started_at=time.time(),
            endpoints=self._known(before),
            process=state.ourselves(),
        )
        if before is not None and before.state == JobWord.RUNNING and before.job == config.name:
            cut = tuple(self._cut(before))
            now = msgspec.structs.replace(now, cut=cut, worse=tuple(self._untold(before, kept)))
            kept = state.remembered(kept, before, 0)
            for line in cut:
                self._say(f"{'cut':<10} {line}")
        full = keeping.room(config, kept.taken)
        state.write(config.directory, now)  # where nothing can be written, nothing is begun
        if now.cut:
            self._save(kept)  # this night may be cut as well, and then nobody knows the runs of the one before
        self._say(f"{'nightly':<10} {config.name}, night {now.night}, {count(len(config.targets), 'endpoint')}, in "
                  f"{config.directory}")  # fmt: skip
        self._write(now)
        for target in config.targets:
            now = self._one(target, now, handle, full)
        return self._end(now, kept)

    def _known(self, before: Nightly | None) -> tuple[NightRun, ...]:
        """What the last night said of the endpoints that this job still has."""
        names = {target.name for target in self._config.targets}
        return tuple(run for run in (before.endpoints if before else ()) if run.endpoint in names)

    def _cut(self, before: Nightly) -> Iterator[str]:
        """What is to be told of a night that never wrote its end."""
        yield f"the night {visible(before.night, 40)} was cut: its process is gone, and wrote no end"
        done = {run.run for run in before.endpoints if run.night == before.night}
        for endpoint, name in before.planned.items():
            folder = self._config.runs / Path(name).name
            if name in done:
                continue
            if (folder / "verdict.json").is_file():
                yield f"{visible(endpoint, 40)}: its run went on and was judged: seatrial judge {folder}"
            elif not folder.is_dir():
                yield f"{visible(endpoint, 40)}: its run had not begun"
            else:
                goes = (
                    "may go on" if goes_on(folder) else f"has no verdict: seatrial judge {folder} judges what there is"
                )
                yield f"{visible(endpoint, 40)}: its run {goes}"

    def _untold(self, before: Nightly, kept: NightsKept) -> Iterator[str]:
        """What was worse in a night that was cut before anybody was told of it."""
        yield from before.worse
        if any(state.same(night, before) for night in kept.nights):
            return  # its words are in the memory, and nothing is worse than they are
        for run in before.endpoints:
            if run.night == before.night:
                for line in outcome.worse(run, kept.judged.get(run.endpoint), kept.last.get(run.endpoint)):
                    yield f"{line} (in the night {visible(before.night, 40)}, which was cut)"

    def _one(self, target: NightTarget, now: Nightly, handle: int, full: str) -> Nightly:
        """One endpoint's run, and the state after it."""
        path = new_path(self._config.runs)
        early = bool(self._child.asked)
        skip = NO_TURN if early else full
        if skip:
            run = NightRun(
                endpoint=target.name,
                word=NightWord.NOT_TRIED,
                night=now.night,
                why=skip,
                ended_at=time.time(),
                early=early,
            )
        else:
            now = msgspec.structs.replace(now, planned={**now.planned, target.name: path.name})
            self._write(now)
            run = self._tried(target, now.night, path, handle)
        for line in telling.lines(run):
            self._say(line)
        others = tuple(each for each in now.endpoints if each.endpoint != target.name)
        now = msgspec.structs.replace(now, endpoints=(*others, run))
        self._write(now)
        return now

    def _tried(self, target: NightTarget, night: str, path: Path, handle: int) -> NightRun:
        log = self._config.logs / f"{path.name}.log"
        held = [handle]
        if target.url:
            why = f"another nightly job asked {target.place} all the time"
            try:
                lock = locks.folder() / f"nightly-{locks.key(target.url)}.lock"
                own = state.turn(lock, target.place, target.limit_s, self._say, lambda: bool(self._child.asked))
            except ConfigError as error:
                own, why = None, str(error)
            if own is None:
                early = bool(self._child.asked)
                return NightRun(
                    endpoint=target.name,
                    word=NightWord.NOT_TRIED,
                    night=night,
                    why=NO_TURN if early else why,
                    ended_at=time.time(),
                    early=early,
                )
            held.append(own)
        self._say(f"{target.name:<10} runs; what it prints: {log}")
        try:
            words, environment = child.words(target, path), child.environment(target)
            ended = self._child.run(words, self._config.checkout, log, environment, held, target.limit_s)
        finally:
            for own in held[1:]:
                os.close(own)
        return outcome.of_run(target.name, night, path, log, ended, time.time())

    def _end(self, now: Nightly, kept: NightsKept) -> int:
        """Tell what is worse, remember the night, remove old ones, and write its end."""
        config = self._config
        own = [run for run in now.endpoints if run.night == now.night]
        worse = [*now.worse]
        worse += [
            line
            for run in own
            for line in outcome.worse(run, kept.judged.get(run.endpoint), kept.last.get(run.endpoint))
        ]
        exit_code = outcome.exit_of(own)
        now = msgspec.structs.replace(
            now,
            state=JobWord.ENDED if self._child.asked else JobWord.DONE,
            ended_at=time.time(),
            exit=exit_code,
            worse=tuple(worse),
            hook=HookTold(about=tuple(worse)) if worse and config.hook else None,
        )
        kept = state.remembered(kept, now, keeping.taken(config.runs, now.planned.values()))
        written = self._save(kept)  # before the hook: it is run for a change once, whatever comes after
        removed = keeping.trim(config, kept.nights)
        if removed.nights != kept.nights or not written:
            written = self._save(msgspec.structs.replace(kept, nights=removed.nights))
        if not written and exit_code == EXIT_READY:
            exit_code = EXIT_INCONCLUSIVE
            now = msgspec.structs.replace(now, exit=exit_code)
        self._notices += removed.notices
        self._write(now)
        if now.hook is not None:
            trouble = telling.run_hook(config, now)
            now = msgspec.structs.replace(now, hook=msgspec.structs.replace(now.hook, trouble=trouble))
            self._write(now)
        self._last_lines(now, removed.runs)
        return exit_code

    def _last_lines(self, now: Nightly, removed: tuple[str, ...]) -> None:
        for line in now.worse or ("nothing",):
            self._say(f"{'worse':<10} {visible(line, 600)}")
        if now.hook is not None:
            self._say(f"{'hook':<10} {now.hook.trouble or 'ran'}")
        if removed:
            self._say(f"{'kept':<10} {count(self._config.keep, 'night')}; {count(len(removed), 'older run')} removed")
        for notice in self._notices:
            self._say(f"{'notice':<10} {visible(notice, 300)}")
        self._say(f"{'state':<10} {self._config.latest} (exit {now.exit})")

    def _write(self, now: Nightly) -> None:
        """Write both files. The textfile is for others: that it cannot be written costs no night."""
        now = msgspec.structs.replace(now, notices=tuple(self._notices))
        self._save(now)
        if self._config.textfile is not None:
            try:
                write_atomically(self._config.textfile, textfile.render(now, time.time()))
            except RunDirError as error:
                self._notice(f"textfile: {error}".partition("; ")[0])

    def _save(self, what: Nightly | NightsKept) -> bool:
        """Write a state, once the night goes on; whether that could be done. A full disk costs no run and no hook."""
        try:
            state.write(self._config.directory, what)
        except RunDirError as error:
            self._notice(str(error).replace("name another with --run-dir", "keep fewer nights"))
            return False
        return True

    def _notice(self, text: str) -> None:
        if text not in self._notices:
            self._notices.append(text)


@contextlib.contextmanager
def _ended_by(running: child.RunChild) -> Iterator[None]:
    """While it runs, Ctrl-C, SIGTERM and SIGHUP ask the child for its end, and the night for its own."""
    if threading.current_thread() is not threading.main_thread():  # elsewhere Python sets no handler
        yield
        return
    before = {
        number: signal.signal(number, lambda *_: running.end())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
