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
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from seatrial.given import phases, soak, words
from seatrial.given.errors import ConfigError
from seatrial.records import Hazard
from seatrial.wire.masking.headers import FRAMING, secret_values, unsendable
from seatrial.wire.masking.mask import Mask
from seatrial.wire.transports.load import LoadTarget
from seatrial.wire.transports.turns import Turns

ROOT = Path(__file__).resolve().parent.parent


_ROLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


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
    run, role = env.get("SEATRIAL_RUN", ""), env.get("SEATRIAL_ROLE") or "load1"
    if not _ROLE.fullmatch(role):
        raise SettingsError(f"SEATRIAL_ROLE={role[:60]!r}: up to 40 letters, digits and dashes: a file is called so")
    ca = env.get("SEATRIAL_CA", "")
    if ca and not words.is_file(Path(ca)):
        raise SettingsError(f"SEATRIAL_CA={ca}: no such file")
    return LoadSettings(
        run=Path(run) if run else None,
        endpoint=env.get("SEATRIAL_ENDPOINT", ""),
        role=role,
        users=_whole(env, "SEATRIAL_USERS", phases.MOST_USERS),
        phases=Path(env["SEATRIAL_PHASES"]) if env.get("SEATRIAL_PHASES") else None,
        rps=_rps(env),
        workload=env.get("SEATRIAL_WORKLOAD", ""),
        canary_s=_seconds(env, "SEATRIAL_CANARY_S", 60.0, least=1),
        hazard=_hazard(env),
        slo=_slo(env),
        model=env.get("SEATRIAL_MODEL", ""),
        max_tokens=_whole(env, "SEATRIAL_MAX_TOKENS") or 48,
        seed=_seed(env),
        deadline_s=_seconds(env, "SEATRIAL_DEADLINE_S", 60.0),
        idle_s=_seconds(env, "SEATRIAL_IDLE_S", 30.0),
        key=_key(env),
        headers=_headers(env),
        ca=Path(ca) if ca else None,
        lifeline=_lifeline(env),
        pace=_pace(env),
    )


def nonsense(options: Any) -> str:
    """What of Locust's own options makes no sense, and why; empty: nothing. It takes 0 for what was not said.

    Args:
        options: of Locust's command line.
    """
    most, lasts = phases.MOST_USERS, options.run_time
    if options.num_users is not None and not 1 <= options.num_users <= most:
        return f"--users={options.num_users}: a whole number, 1 to {most}"
    if lasts is not None and not phases.LEAST_S <= lasts <= phases.LONGEST_S:
        return f"--run-time={lasts}s: 1s at least, and 720h (30 days) at most"
    if options.spawn_rate is not None and not 0 < options.spawn_rate < math.inf:
        return f"--spawn-rate={options.spawn_rate:g}: users a second, more than 0"
    if why := _of_processes(options):
        return why
    if not 1 <= options.expect_workers <= soak.MOST_WORKERS:
        return f"--expect-workers={options.expect_workers}: a whole number, 1 to {soak.MOST_WORKERS}"
    return ""


def _of_processes(options: Any) -> str:
    many, told = options.processes, f"--processes={options.processes}"
    if many is None:
        return ""
    if many != -1 and not 1 <= many <= soak.MOST_WORKERS:
        return f"{told}: a whole number, 1 to {soak.MOST_WORKERS}; -1: one for each core"
    if options.master or options.worker:
        other = "--master" if options.master else "--worker"
        return f"{told}: it has a master and workers of its own; leave it out, or {other}"
    return ""


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(env.get(name) or default)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SettingsError(f"{name}={env[name]} is no number")
    return value


def _seconds(env: Mapping[str, str], name: str, default: float, least: float = 0.0) -> float:
    value = _number(env, name, default)
    if not 0 < value <= words.LONGEST_S or value < least:
        raise SettingsError(
            f"{name}={env[name]}: seconds, {f'{least:g} at least' if least else 'more than 0'}, ten years at most"
        )
    return value


def _rps(env: Mapping[str, str]) -> float | None:
    if not env.get("SEATRIAL_RPS"):
        return None
    if not phases.LEAST_RPS <= (value := _number(env, "SEATRIAL_RPS", 1.0)) <= phases.MOST_RPS:
        raise SettingsError(f"SEATRIAL_RPS={env['SEATRIAL_RPS']}: more than 0, {phases.MOST_RPS:g} a second at most")
    return value


def _lifeline(env: Mapping[str, str]) -> int | None:
    text = env.get("SEATRIAL_LIFELINE", "")
    if not text:
        return None
    try:
        os.fstat(int(text))
    except (ValueError, OverflowError, OSError):
        raise SettingsError(f"SEATRIAL_LIFELINE={text}: no file of that number is open") from None
    return int(text)


def _whole(env: Mapping[str, str], name: str, most: int = 10**9) -> int | None:
    text = env.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 10 or not 1 <= int(text) <= most:
        raise SettingsError(f"{name}={text[:60]}: a whole number, 1 to {most}")
    return int(text)


def _seed(env: Mapping[str, str]) -> int:
    """To its last digit, as a run directory says it; workers are told it as a number of 64 bits."""
    text = env.get("SEATRIAL_SEED") or "0"
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise SettingsError(f"SEATRIAL_SEED={text[:60]}: a whole number of 18 digits at most")
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
    if (per_s := _number(env, "SEATRIAL_MAX_RPS", 1.0)) <= 0:
        raise SettingsError(f"SEATRIAL_MAX_RPS={env['SEATRIAL_MAX_RPS']}: requests a second, more than 0")
    turns = Turns(Path(env["SEATRIAL_PACE"]), per_s)
    try:
        turns.make()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or error
        raise SettingsError(f"SEATRIAL_PACE={env['SEATRIAL_PACE']}: it cannot be kept to: {why}") from error
    return turns


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
