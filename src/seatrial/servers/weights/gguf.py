"""The head of a GGUF file: how its weights are quantised. Read in small, bounded steps: a file may be anything.

The form of the head is that of the format's specification (ggml, docs/gguf.md); the numbers of file types are those of
``general.file_type`` there.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

MAGIC = b"GGUF"
MOST_KEYS, MOST_BYTES, LONGEST_KEY = 512, 64 << 20, 4096
WANTED = "general.file_type"
TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
    21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4_MOE",
}  # fmt: skip
"""What most of the weights are stored as."""

_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY, _UINT32 = 8, 9, 4


def quantisation(path: Path) -> str:
    """How the weights of a file are quantised, as the file says; empty where it does not.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no GGUF file.
    """
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise ValueError("it is no GGUF file")
        try:
            found = _file_type(file)
        except (struct.error, OverflowError):  # cut, or of another form
            return ""
    return "" if found is None else TYPES.get(found, f"file type {found}")


def _file_type(file: BinaryIO) -> int | None:
    _, _, keys = struct.unpack("<IQQ", file.read(20))
    for _ in range(min(keys, MOST_KEYS)):
        length = _number(file)
        if length > LONGEST_KEY:
            return None
        key = file.read(length)
        (kind,) = struct.unpack("<I", file.read(4))
        if key == WANTED.encode() and kind == _UINT32:
            return int(struct.unpack("<I", file.read(4))[0])
        if not _skip(file, kind) or file.tell() > MOST_BYTES:
            return None
    return None


def _skip(file: BinaryIO, kind: int) -> bool:
    """Go past a value; False where its form is not known, or it has no end within the bound."""
    if kind == _STRING:
        return _past(file, _number(file))
    if kind != _ARRAY:
        return kind in _SIZES and _past(file, _SIZES[kind])
    (inner,) = struct.unpack("<I", file.read(4))
    count = _number(file)
    if inner in _SIZES:
        return _past(file, count * _SIZES[inner])
    return inner == _STRING and count <= 1 << 21 and all(_past(file, _number(file)) for _ in range(count))


def _past(file: BinaryIO, length: int) -> bool:
    if file.tell() + length > MOST_BYTES:
        return False
    file.seek(length, 1)
    return True


def _number(file: BinaryIO) -> int:
    return int(struct.unpack("<Q", file.read(8))[0])
