"""NVML's stub: the library itself (stub.c), compiled by a compiler that pip installs, and the file that steers it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("stub.c")
FLAGS = ("-shared", "-fPIC", "-nostdlib", "-O1", "-Wall", "-Wextra", "-Werror")

CARDS = {
    "count": 2,
    "driver": "555.42.06",
    "0.name": "Stub A",
    "0.uuid": "GPU-aaaa",
    "0.busy": 44,
    "0.memory": 17_900_000_000,
    "0.memory_total": 25_757_220_864,
    "0.power": 251_300,
    "0.clock": 1740,
    "0.reasons": 0x4 | 0x20,
    "0.ecc": 3,
    "0.processes": "4711:17800000000,4712:-",
    "0.samples": "4711:90@1000",
    "0.event_types": 0x8 | 0x4000,
    "1.name": "Stub B",
    "1.uuid": "GPU-bbbb",
    "1.busy": 0,
    "1.memory": 0,
    "1.memory_total": 25_757_220_864,
    "1.clock": 210,
    "1.reasons": 0,
    "1.processes": "",
    "1.samples": "",
    "1.event_types": 0x8,
}
"""A busy card that has all, and an idle one without power figures or ECC."""


def build(folder: Path, driver: int) -> Path:
    """The library as a driver of that release brings it, under the name by which pynvml loads it."""
    library = folder / "libnvidia-ml.so.1"
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(folder / "zig"), "ZIG_LOCAL_CACHE_DIR": str(folder / "zig-local")}
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", *FLAGS, f"-DDRIVER={driver}", "-o", library, SOURCE],
        env={**os.environ, **caches},
        check=True,
    )
    return library


class Stub:
    """What the library says, in a file that it reads anew at each call.

    Args:
        library: of :func:`build`.
        steering: the file, to be written.
        values: what it says at first; more by :meth:`set`.
    """

    def __init__(self, library: Path, steering: Path, values: dict[str, object]) -> None:
        self._file, self._values = steering, dict(values)
        self.environment = {"LD_LIBRARY_PATH": str(library.parent), "NVML_STUB": str(steering)}
        self.set()

    def set(self, **values: object) -> None:
        """Change values, at once and together; ``_0_power=None`` takes one of card 0 away."""
        for key, value in values.items():
            name = f"{key[1]}.{key[3:]}" if key.startswith("_") else key
            self._values[name] = value
        lines = [f"{key} {value}\n" for key, value in self._values.items() if value is not None]
        fresh = self._file.with_suffix(".new")
        fresh.write_text("".join(lines))
        fresh.replace(self._file)
