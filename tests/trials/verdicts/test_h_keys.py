"""H: no key anywhere: what a rule joins or decodes is masked, and so is the record, by whichever way a key came."""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.golden.http1 import Request
from tests.golden.items import Act, Piece
from tests.golden.server import Golden
from tests.keys.answers import CARRIERS, LINES
from tests.keys.encodings import ENCODINGS
from tests.keys.readable import readings, unpacked
from tests.trials.tried import Said, Tried, hold

KEY = "sk-Live_0123456789abcdefXYZ"
GATEWAY = "gw_Token-0815/4711+abcDEF"
MARKERS = "markers/no-template-marker-leaks"


def clear(said: Said, *more: Path, key: str = KEY) -> list[str]:
    """Where the key stands in the clear: on the terminal, in files of the run and beside it, and packed in pages."""
    texts = {"the terminal": said.out.encode()}
    for path in (said.path, *more):
        assert path.exists(), f"{path.name} is not there: {said.out[-2000:]}"
        for file in path.rglob("*") if path.is_dir() else (path,):
            if file.is_file():
                texts[str(file.relative_to(said.path.parent))] = file.read_bytes()
    plain = key.lower().encode()
    found = [name for name, text in texts.items() if plain in text.lower()]
    packed = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")
    for name, text in texts.items():
        if name not in found and name.endswith(".html"):
            inside = b"\n".join(base64.b64decode(hit[0][: len(hit[0]) // 4 * 4]) for hit in packed.finditer(text))
            found += [f"{name}, unpacked"] if plain in inside.lower() else []
    return found


def exchanges(said: Said) -> Iterator[tuple[str, bytes]]:
    """(id, recorded answer) of every exchange of the run."""
    for file in said.path.glob("**/exchanges.jsonl"):
        kept = (file.parent / "bytes.bin").read_bytes() if (file.parent / "bytes.bin").exists() else b""
        for row in file.read_text("utf-8").splitlines():
            line = json.loads(row)
            if line["kind"] == "received":
                start, length = line["response"]
                yield str(line.get("id")), kept[start : start + length]


def in_record(said: Said, key: str = KEY, most: int | None = None) -> dict[str, set[str]]:
    """Of so many exchanges those in whose record the key can be read after one decoding, and which."""
    some = list(itertools.islice(exchanges(said), most))
    assert any(raw for _, raw in some), "no exchange is in the record"
    found = {name: {r for data in unpacked(raw) for r in readings(data, key)} for name, raw in some}
    return {name: how for name, how in found.items() if how}


def run(tried: Tried, golden: Golden, path: Path, *arguments: str) -> Said:
    beside = (f"--junitxml={path.parent / 'junit.xml'}", f"--alluredir={path.parent / 'allure'}")
    options = (f"--endpoint={golden.url}", "--api-key-env=TRIAL_KEY", *beside)
    return tried.suite(path, *arguments, *options, env={"TRIAL_KEY": KEY}, timeout_s=900)


def reach(said: Said) -> list[str]:
    return clear(said, said.path.parent / "junit.xml", said.path.parent / "allure")


def held_back(tried: Tried, said: Said) -> None:
    """The trial's assertions, of a run with its key."""
    hold(not reach(said), "the key is nowhere in the clear", f"it stands in {reach(said)}")
    found = in_record(said, most=25)
    hold(not found, "the key cannot be read in the record", f"{len(found)} exchanges: {list(found.items())[:3]}")
    judged = tried.seatrial("judge", str(said.path), path=said.path)
    hold(KEY.lower() not in judged.out.lower(), "a judge, who has no key, prints none", judged.out[-1000:])


@pytest.mark.long
def test_a_key_in_both_fields_of_thought_in_turn_is_shown_nowhere(tried: Tried, tmp_path: Path):
    """A character a delta; the thought is joined, and stands in a finding about the answer."""
    with Golden(["echo-key-in-thoughts", "leak"]) as golden:
        said = run(tried, golden, tmp_path / "run", "suites/behaviour", "--case", MARKERS, "--budget=50s")
    assert said.outcomes(MARKERS) == ["FAIL"], said.out[-3000:]
    held_back(tried, said)


def test_a_key_in_the_bytes_of_tokens_is_shown_nowhere(tried: Tried, tmp_path: Path):
    """As integers in ``logprobs.bytes``; a rule joins them, and its finding says what came of it."""
    rule = "params/logprobs-are-given"
    with Golden(["echo-key-in-bytes"]) as golden:
        said = run(tried, golden, tmp_path / "run", "suites/conformance/test_params.py", "--case", rule)
    assert {"FAIL", "ADVISORY"} & {*said.outcomes(rule)}, said.out[-3000:]
    held_back(tried, said)


class Finisher(Golden):
    """Says the key where a reason to finish belongs, and counts how often."""

    said = 0

    def _chunks(self, call: Any, made: Any) -> Iterator[Any]:
        key = call.request.headers.get("authorization", "").partition(" ")[2]
        for item in super()._chunks(call, made):
            if isinstance(item, dict):
                ended = [{**c, "finish_reason": c["finish_reason"] and key} for c in item["choices"]]
                self.said += sum(bool(key and c["finish_reason"]) for c in ended)
                yield {**item, "choices": ended}
            else:
                yield item


class Parrot(Golden):
    """Says the secret of each request in the next way and encoding; every third answer is right.

    Args:
        header: which header holds the secret; a scheme before it is left out.
    """

    def __init__(self, header: str = "authorization") -> None:
        super().__init__()
        self._header = header
        self._next = itertools.count()
        lines = {name: lambda text, say=say: say(text.encode("latin-1", "replace")) for name, say in LINES.items()}
        one_line = ("plain", "upper case", "percent", "base64 for URLs", "hex")
        self._ways = [(say, ENCODINGS[name]) for say in lines.values() for name in one_line]
        self._ways += [(say, spell) for say in CARRIERS.values() for spell in ENCODINGS.values()]
        self.said = 0

    def _answer(self, request: Request, slot: int) -> Iterator[Piece]:
        secret = request.headers.get(self._header, "").rpartition(" ")[2]
        turn = next(self._next)
        if not secret or "chat" not in request.path or turn < 4 or turn % 3 == 0:
            for piece in super()._answer(request, slot):
                yield self._signed(piece, secret) if isinstance(piece, bytes) else piece
            return
        say, spell = self._ways[turn * 7919 % len(self._ways)]
        self._working[slot] = None
        self.said += 1
        yield say(spell(secret))
        yield Act.CUT

    @staticmethod
    def _signed(piece: bytes, secret: str) -> bytes:
        """The right answer, with the secret in its head in four encodings."""
        if not piece.startswith(b"HTTP/1.1 ") or not secret:
            return piece
        based, head = base64.b64encode(secret.encode()), piece.partition(b"\r\n")
        echo = b"X-Echo: %b %b %b\r\nX-%b: 1" % (secret.encode(), based, secret.encode().hex().encode(), based[:20])
        return head[0] + b"\r\n" + echo + b"\r\n" + head[2]


@pytest.mark.long
def test_a_key_where_a_reason_to_finish_belongs_is_in_no_row_of_a_soak(tried: Tried, tmp_path: Path):
    with Finisher() as golden:
        said = run(tried, golden, tmp_path / "run", "suites/soak", "--soak=5s")
        assert golden.said > 0, said.out[-3000:]
    assert said.code in {0, 1, 10}, said.out[-3000:]
    hold(not reach(said), "the key is nowhere in the clear", f"it stands in {reach(said)}")


@pytest.mark.long
@pytest.mark.parametrize("header", ["authorization", "x-gateway-token"])
def test_a_secret_in_every_encoding_by_every_way_is_shown_nowhere(tried: Tried, tmp_path: Path, header: str):
    """Both an API key and a value of ``--header``; all suites; the record, the terminal, JUnit, Allure, the report."""
    secret = KEY if header == "authorization" else GATEWAY
    given = ["--api-key-env=TRIAL_KEY"] if secret == KEY else [f"--header=X-Gateway-Token: {secret}"]
    beside = [f"--junitxml={tmp_path / 'junit.xml'}", f"--alluredir={tmp_path / 'allure'}"]
    with Parrot(header) as golden:
        said = tried.suite(
            tmp_path / "run", "suites", *given, *beside, f"--endpoint={golden.url}", "--budget=20s", "--soak=15s",
            "--timeout=5s", env={"TRIAL_KEY": KEY}, timeout_s=900,
        )  # fmt: skip
        assert golden.said > 200, said.out[-3000:]
    found = clear(said, tmp_path / "junit.xml", tmp_path / "allure", key=secret)
    hold(not found, "the secret is nowhere in the clear", f"it stands in {found}")
    readable = in_record(said, secret)
    hold(not readable, "the secret cannot be read in the record", f"{len(readable)}: {list(readable.items())[:5]}")
    shown = tried.seatrial("judge", str(said.path), path=said.path).out
    hold(secret.lower() not in shown.lower(), "an offline judge prints none", shown[-1000:])
