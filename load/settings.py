"""What a load is told: by ``SEATRIAL_*`` variables, which also reach it as a child process; Locust has the rest.

======================  ==============================================================================
SEATRIAL_RUN            run directory to write into; unset: a new one below ``reports/runs``. Of a worker elsewhere:
                        its own folder
SEATRIAL_ENDPOINT       name of an endpoint of that run; unset: ``--host`` is asked who it is
SEATRIAL_ROLE           name of the writer, one per load of a run (``load1``)
SEATRIAL_USERS          closed users; ``-u`` goes before it. Unset: one per slot of the server, else 4
SEATRIAL_PHASES         file of phases (:mod:`seatrial.given.phases`); unset: what is usual for the length
SEATRIAL_RPS            requests a second of the usual open phase; unset: a share of what was measured
SEATRIAL_WORKLOAD       traffic: a name or a file (:mod:`seatrial.given.workload`). Unset: ``short``, and
                        ``chat`` where there are several phases
SEATRIAL_CANARY_S       seconds between two canaries (60)
SEATRIAL_HAZARD         up to what is sent (heavy)
SEATRIAL_SLO            what a good answer keeps, as ``ttft=2s,tpot=80ms``; told beside the figures
SEATRIAL_MODEL          model to ask for, where no endpoint of a run says it
SEATRIAL_MAX_TOKENS     cap of an answer (48)
SEATRIAL_SEED           of prompts, jitter and samples (0)
SEATRIAL_DEADLINE_S     longest a request may take (60)
SEATRIAL_IDLE_S         longest silence in a stream (30)
SEATRIAL_KEY_ENV        *name* of the variable that holds the API key
SEATRIAL_HEADERS        JSON object of headers
SEATRIAL_CA             certificates to trust, PEM
SEATRIAL_MAX_RPS        at most so many requests a second, together with all that keep to the same file
SEATRIAL_PACE           that file; made if it is not there
SEATRIAL_LIFELINE       file descriptor of a pipe: at its end the load ends at once, cutting its streams
======================  ==============================================================================
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from seatrial.given import words
from seatrial.given.errors import ConfigError
from seatrial.records import Hazard
from seatrial.wire.masking.headers import FRAMING, secret_values, unsendable
from seatrial.wire.masking.mask import Mask
from seatrial.wire.transports.load import LoadTarget
from seatrial.wire.transports.turns import Turns

ROOT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """A variable cannot be used; the message names it and the remedy in one line."""


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """The variables, read. Times in seconds."""

    run: Path | None
    endpoint: str
    role: str
    users: int | None
    phases: Path | None
    rps: float | None
    workload: str
    canary_s: float
    hazard: Hazard
    slo: str
    model: str
    max_tokens: int
    seed: int
    deadline_s: float
    idle_s: float
    key: str | None
    headers: dict[str, str]
    ca: Path | None
    lifeline: int | None
    pace: Turns | None

    def target(self, url: str) -> LoadTarget:
        """The transport's settings for a base URL."""
        authorization = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        headers = {**authorization, **self.headers}
        return LoadTarget(
            url=url,
            mask=Mask(self.key).also(secret_values(headers)),
            headers=headers,
            ca=self.ca,
            idle_s=self.idle_s,
            deadline_s=self.deadline_s,
            pace=self.pace,
        )


def read(env: Mapping[str, str] = os.environ) -> LoadSettings:
    """Read the settings.

    Raises:
        SettingsError: a value is no number, no JSON or names nothing.
    """
    run = env.get("SEATRIAL_RUN", "")
    ca = env.get("SEATRIAL_CA", "")
    if ca and not Path(ca).is_file():
        raise SettingsError(f"SEATRIAL_CA={ca}: no such file")
    return LoadSettings(
        run=Path(run) if run else None,
        endpoint=env.get("SEATRIAL_ENDPOINT", ""),
        role=env.get("SEATRIAL_ROLE") or "load1",
        users=_whole(env, "SEATRIAL_USERS"),
        phases=Path(env["SEATRIAL_PHASES"]) if env.get("SEATRIAL_PHASES") else None,
        rps=_positive(env, "SEATRIAL_RPS", 1.0) if env.get("SEATRIAL_RPS") else None,
        workload=env.get("SEATRIAL_WORKLOAD", ""),
        canary_s=_positive(env, "SEATRIAL_CANARY_S", 60.0),
        hazard=_hazard(env),
        slo=_slo(env),
        model=env.get("SEATRIAL_MODEL", ""),
        max_tokens=_whole(env, "SEATRIAL_MAX_TOKENS") or 48,
        seed=int(_number(env, "SEATRIAL_SEED", 0.0)),
        deadline_s=_positive(env, "SEATRIAL_DEADLINE_S", 60.0),
        idle_s=_positive(env, "SEATRIAL_IDLE_S", 30.0),
        key=_key(env),
        headers=_headers(env),
        ca=Path(ca) if ca else None,
        lifeline=int(env["SEATRIAL_LIFELINE"]) if env.get("SEATRIAL_LIFELINE", "").isdigit() else None,
        pace=_pace(env),
    )


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(env.get(name) or default)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SettingsError(f"{name}={env[name]} is no number")
    return value


def _positive(env: Mapping[str, str], name: str, default: float) -> float:
    value = _number(env, name, default)
    if value <= 0:
        raise SettingsError(f"{name}={env[name]}: seconds, more than 0")
    return value


def _whole(env: Mapping[str, str], name: str) -> int | None:
    text = env.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise SettingsError(f"{name}={text}: a whole number, at least 1")
    return int(text)


def _hazard(env: Mapping[str, str]) -> Hazard:
    try:
        return words.hazard(env.get("SEATRIAL_HAZARD") or "heavy", embedded=False)
    except ConfigError as error:
        raise SettingsError(str(error).replace("--hazard", "SEATRIAL_HAZARD")) from None


def _slo(env: Mapping[str, str]) -> str:
    try:
        return words.slo("SEATRIAL_SLO", env.get("SEATRIAL_SLO"))
    except ConfigError as error:
        raise SettingsError(str(error)) from None


def _pace(env: Mapping[str, str]) -> Turns | None:
    if not env.get("SEATRIAL_MAX_RPS"):
        return None
    if not env.get("SEATRIAL_PACE"):
        raise SettingsError("SEATRIAL_MAX_RPS: name the file of all who keep to it with SEATRIAL_PACE")
    return Turns(Path(env["SEATRIAL_PACE"]), _positive(env, "SEATRIAL_MAX_RPS", 1.0))


def _key(env: Mapping[str, str]) -> str | None:
    name = env.get("SEATRIAL_KEY_ENV", "")
    if name and not env.get(name):
        raise SettingsError(f"SEATRIAL_KEY_ENV={name}: no such variable in the environment, or it is empty")
    if name and (why := unsendable("Authorization", f"Bearer {env[name]}")):
        raise SettingsError(f"SEATRIAL_KEY_ENV={name}: the key cannot be sent: {why.replace('its value', 'it')}")
    return env[name] if name else None


def _headers(env: Mapping[str, str]) -> dict[str, str]:
    text = env.get("SEATRIAL_HEADERS") or "{}"
    try:
        headers = msgspec.json.decode(text, type=dict[str, str])
    except msgspec.MsgspecError as error:
        raise SettingsError(f"SEATRIAL_HEADERS: a JSON object of strings: {error}") from error
    for name, value in headers.items():
        if name.lower() in FRAMING:
            raise SettingsError(f"SEATRIAL_HEADERS: {name} is set by Seatrial itself: it says how a request is framed")
        if why := unsendable(name, value):
            raise SettingsError(f"SEATRIAL_HEADERS: {name!r} cannot be sent: {why}")
    return headers
