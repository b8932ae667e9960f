"""NVML, NVIDIA's library for looking at GPUs: loading it, what it knows of this machine, and its errors.

pynvml speaks to ``libnvidia-ml.so.1``, which belongs to the driver: an older driver lacks functions that a newer
pynvml has, and pynvml itself drops old ones. A function is therefore always looked up, never taken for granted.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple, cast

XID = 0x8
"""nvmlEventTypeXidCriticalError."""
OTHER_EVENTS = {
    0x2000: "fatal poison error",
    0x4000: "GPU unavailable",
    0x8000: "recovery action changed",
}
"""Of nvml.h: events of newer drivers that tell of a card's end; the rest (clocks, power states) is everyday."""

SUCCESS, NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND, INSUFFICIENT_SIZE = 0, 3, 4, 6, 7
DRIVER_NOT_LOADED, TIMEOUT, FUNCTION_NOT_FOUND = 9, 10, 13
GONE = frozenset({15, 16})
"""NVML_ERROR_GPU_IS_LOST and NVML_ERROR_RESET_REQUIRED."""


NONE_LISTED = "the driver lists none"


class Unknown(Exception):
    """Neither pynvml nor the driver's library knows the function."""

    value = FUNCTION_NOT_FOUND

    def __str__(self) -> str:
        return "Function Not Found"


def code(error: Exception) -> int | None:
    """NVML's number of an error; None: it is not NVML's. Its classes are made at run time, so they have no names."""
    value = getattr(error, "value", None)
    return value if isinstance(value, int) else None


def load() -> ModuleType:
    """pynvml, if there is a driver for it to speak to: it is large, and most machines have no use for it.

    Raises:
        OSError: no libnvidia-ml.
    """
    ctypes.CDLL("libnvidia-ml.so.1")
    import pynvml  # as the docstring says

    return cast("ModuleType", pynvml)


def call(nvml: Any, names: tuple[str, ...], *arguments: Any) -> Any:
    """What the first of the functions says that both pynvml and the driver know.

    Raises:
        Unknown: they know none of them.
        Exception: NVML's own, of the call.
    """
    for name in names:
        function = getattr(nvml, name, None)
        if function is None:
            continue
        try:
            return function(*arguments)
        except Exception as error:
            if code(error) != FUNCTION_NOT_FOUND:
                raise
    raise Unknown


def register(nvml: Any, events: Any, card: Any) -> int:
    """Have a card's Xids, and of the other events what it supports, put into a set; the mask of what was registered.

    Raises:
        Exception: the card gives no events, in NVML's words.
    """
    try:
        wanted = call(nvml, ("nvmlDeviceGetSupportedEventTypes",), card) & (XID | sum(OTHER_EVENTS))
    except Unknown:
        wanted = XID
    if not wanted & XID:
        raise OSError("Xid events are not supported")
    call(nvml, ("nvmlDeviceRegisterEvents",), card, wanted, events)
    return int(wanted)


def why_not(error: Exception) -> tuple[bool, str]:
    """Whether there may be a GPU here all the same, and why none can be watched."""
    if code(error) == FUNCTION_NOT_FOUND:
        return True, f"the driver's NVML is older than pynvml can speak to: {error}"
    return not isinstance(error, OSError) and code(error) != DRIVER_NOT_LOADED, str(error)


class Host(NamedTuple):
    """The cards of this machine: the driver's version, their names, and why their Xids cannot be heard, if so."""

    driver: str
    names: tuple[str, ...]
    deaf: str


def look() -> Host:
    """See what NVML offers here, as a watch would use it, and leave nothing behind.

    Raises:
        OSError: nothing can be watched; its text says why.
    """
    try:
        with _opened() as nvml:
            cards = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
            names = tuple(str(nvml.nvmlDeviceGetName(card)) for card in cards)
            host = Host(str(nvml.nvmlSystemGetDriverVersion()), names, _deaf(nvml, cards))
    except Exception as error:
        hidden, why = why_not(error)
        raise OSError(f"{'not observable' if hidden else 'none on this host'} ({why})") from error
    if not names:
        raise OSError(f"none on this host ({NONE_LISTED})")
    return host


def describe() -> tuple[str, str]:
    """The names of this machine's cards in a line, or nothing and why there are none to be seen."""
    try:
        return ", ".join(look().names), ""
    except OSError as error:
        return "", str(error)


@contextlib.contextmanager
def _opened() -> Iterator[Any]:
    nvml = load()
    nvml.nvmlInit()
    try:
        yield nvml
    finally:
        nvml.nvmlShutdown()


def _deaf(nvml: Any, cards: list[Any]) -> str:
    """Try to register for events: why that fails, or nothing."""
    try:
        events = call(nvml, ("nvmlEventSetCreate",))
        try:
            for card in cards:
                register(nvml, events, card)
        finally:
            nvml.nvmlEventSetFree(events)
    except Exception as error:  # noqa: BLE001 - NVML's error classes are made at run time
        return str(error)
    return ""
