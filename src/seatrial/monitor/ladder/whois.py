"""Who serves, asked once in each life of a server: which models it lists, and its build where its kind tells one.

Both are answered from memory and cost nothing. What was asked to learn the kind is not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from seatrial.kinds import listed
from seatrial.kinds.kind import About, Kind, Page
from seatrial.records import FILE, NAME_SHOWN, Identity, Offered
from seatrial.text import flat
from seatrial.wire.transports.probe import ProbeAnswer

MODELS = "/v1/models"
KEPT = 64
"""Models that are written down: the one that is asked for, and the first by name."""
TRIES = 3
"""Questions to each page that may come to nothing; then it is not known."""

Asking = Callable[[str], ProbeAnswer | None]
"""Asks for a page; None: it cannot be answered now."""


class Whois:
    """What one server says of itself, in one life after another.

    Args:
        model: that is asked of it; empty: none is named.
        api: whether it has an API: else it lists no models.
    """

    def __init__(self, name: str, model: str, *, api: bool) -> None:
        self._name, self._model, self._api = name, model, api
        self._pages: dict[str, ProbeAnswer | None] = {}
        self._left: list[str] = []
        self._about: Page | None = None
        self._tries = 0

    @property
    def due(self) -> bool:
        """Whether a page is still to be asked for."""
        return bool(self._left)

    def begin(self, kind: Kind, answers: Mapping[str, ProbeAnswer | None]) -> None:
        """A life in which a kind answers.

        Args:
            answers: what was asked for in this life already, by path.
        """
        self._pages = dict(answers)
        self._about = kind.version or kind.about
        self._left = [MODELS] if self._api else []
        if self._about is not None and self._about.path not in self._left:
            self._left.append(self._about.path)
        self._tries = 0

    def forget(self) -> None:
        """The life is over."""
        self._left = []

    def step(self, ask: Asking) -> Identity | None:
        """Ask for the pages that are still to be asked for; who serves, once all is known that can be known."""
        while self._left:
            path = self._left[0]
            if self._pages.get(path) is None:
                self._pages[path] = ask(path)
                if self._pages[path] is None:
                    self._tries += 1
                    if self._tries < TRIES:
                        return None
            self._left.pop(0)
            self._tries = 0
        return self._told()

    def _told(self) -> Identity | None:
        about = self._about.read(self._body(self._about.path)) if self._about is not None else None
        about = about or About()
        models, build = self._models(about.file), flat(about.build)
        at = max((answer.at for answer in self._pages.values() if answer is not None), default=0)
        if not models and not build:
            return None
        return Identity(name=self._name, at=at, model=self._model, models=models, build=build)

    def _models(self, file: str) -> tuple[Offered, ...]:
        """The models, the one that is asked for first.

        Args:
            file: from which its one model was loaded; empty: it does not say.
        """
        found = sorted(listed.offered(self._body(MODELS)), key=lambda x: self._model not in (x.id, *x.aliases))
        if len(found) == 1 and file:
            name = file.rpartition("/")[2][:NAME_SHOWN]
            found = [replace(found[0], marks={**found[0].marks, FILE: name})]
        return tuple(found[:KEPT])

    def _body(self, path: str) -> bytes:
        answer = self._pages.get(path)
        return answer.body if answer is not None and answer.status == 200 else b""
