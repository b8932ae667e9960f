"""The start of a watch: a bounded look at each endpoint, the run directory's first pages, and what the keeper is told.

A server that does not answer is no wrong usage here: the watch waits for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from seatrial.given.address import host_port
from seatrial.given.errors import EndpointError
from seatrial.records import Endpoint, Event, Happening
from seatrial.records.targets import Watched
from seatrial.run.about import run_info
from seatrial.run.directory import RunDir
from seatrial.servers.asking import FirstLook
from seatrial.servers.identity import survey
from seatrial.watching.settings import COMMAND, WatchSettings
from seatrial.wire.connected import looking_at
from seatrial.wire.transports.bystanders import Bystanders

PACKAGES = ("msgspec", "nvidia-ml-py", "rich")
WATCHER = "watch"
"""The writer of what the watch itself adds to the record."""


class Looked(NamedTuple):
    """What a look at an endpoint gave: its page, and in words what could not be had of it."""

    endpoint: Endpoint
    trouble: str = ""
    answers: bool = True
    company: Bystanders = Bystanders(lambda: None)  # what became of others when it was asked


def look_at_all(settings: WatchSettings, interrupted: Callable[[], bool]) -> dict[str, Looked]:
    """Look at every endpoint at once, with GETs alone, for at most 5 s; what takes longer does not answer yet."""
    found: dict[str, Looked] = {}

    def look(name: str, url: str) -> None:
        found[name] = look_at(settings, name, url)

    threads = [threading.Thread(target=look, args=pair, daemon=True) for pair in settings.endpoints.items()]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 5
    while any(thread.is_alive() for thread in threads) and time.monotonic() < until and not interrupted():
        for thread in threads:
            thread.join(0.02)
    late = {name: Looked(_page(name, url, settings), "does not answer yet", answers=False)
            for name, url in settings.endpoints.items()}  # fmt: skip
    return {**late, **found}


def look_at(settings: WatchSettings, name: str, url: str) -> Looked:
    """Who answers at one endpoint. Nothing is raised for anything the server does.

    With ``--canary=off`` nobody is asked: to list its models may be work for a server.
    """
    page = _page(name, url, settings)
    if not settings.canary_s:
        return Looked(page)
    try:
        client = settings.access.client(url)
    except (ValueError, OSError) as error:
        return Looked(page, f"cannot be asked: {error}", answers=False)
    with client:
        look = FirstLook(client, Bystanders(looking_at(*host_port(url))))
        first = look.models()
        if first.status is None:
            return Looked(page, f"does not answer yet ({first.error or 'no answer'})", answers=False)
        try:
            return Looked(
                survey(name, url, client, model=settings.model, counters=False, look=look), company=look.company
            )
        except EndpointError as error:
            return Looked(page, str(error), company=look.company)


def _page(name: str, url: str, settings: WatchSettings) -> Endpoint:
    return Endpoint(name=name, url=url, kind="generic", model=settings.model or "", models=())


def watched(settings: WatchSettings, looked: Mapping[str, Looked]) -> list[Watched]:
    """What the recorder is told of each target.

    A canary needs a model to ask for. Where the first look shows none, the canary looks for it again each time: a
    server that does not answer yet, or that loads, tells its model later.
    """
    orders = []
    for name in settings.names:
        log = str(settings.logs[name]) if name in settings.logs else ""
        found, pid = looked.get(name), settings.pids.get(name)
        if found is None:
            orders.append(Watched(name=name, pid=pid, log=log, ours=name == COMMAND))
            continue
        page = found.endpoint
        orders.append(
            settings.access.watched(
                name,
                page.url,
                pid=pid,
                log=log,
                model=page.model,
                canary_s=settings.canary_s,
                engine=settings.canary_s > 0,
                scrape=settings.scrape,
                harm=found.company.known,
                behind=settings.behind.get(name, ""),
            )
        )
    return orders


def create(path: Path, settings: WatchSettings) -> RunDir:
    """Make the run directory, with a run.json that says what a judge must know of a watch.

    Raises:
        RunDirError: it is not empty, or cannot be written.
    """
    info = run_info(
        path.name,
        arguments=settings.arguments,
        packages=PACKAGES,
        options={
            "watch": list(settings.names),
            "limits": msgspec.to_builtins(settings.limits),
            "canary_s": settings.canary_s,
            "key_env": settings.access.key_env or "",
        },
    )
    return RunDir.create(path, info)


def write_pages(run: RunDir, settings: WatchSettings, pages: Mapping[str, Endpoint]) -> None:
    """A page of each target, a process without a port too, and which endpoint stands behind which.

    Raises:
        RunDirError: the disk is full.
    """
    for name in settings.names:
        run.write_endpoint(pages.get(name) or Endpoint(name=name, url="", kind="generic", model="", models=()))
    if settings.behind:
        writer = run.watch_writer(WATCHER)
        for gateway, endpoint in settings.behind.items():
            writer.write(
                "events.jsonl", Event(what=Happening.BEHIND, name=gateway, at=time.monotonic_ns(), text=endpoint)
            )
        writer.close()
