"""A key is not readable in what is recorded, in whichever encoding and by whichever way it came."""

from __future__ import annotations

import pytest

from seatrial.behaviour import answers as behaviour
from seatrial.reading import channels, chat
from seatrial.wire.masking.mask import Mask
from seatrial.wire.masking.redact import redact
from tests.keys.answers import CARRIERS, LINES
from tests.keys.encodings import ENCODINGS
from tests.keys.readable import joined, readings, unpacked
from tests.wire.exchanges import REQUEST, answer, assembled

KEY = "sk-Live_0123456789abcdefXYZ"
HARD = "k\"e/y+\\0'%41&=é~{}[]"


STREAMING = b'POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n\r\n{"stream":true}'


def heard(raw: bytes) -> bytes:
    """What the readers of answers make of one, as a rule may print it."""
    said = []
    for request in (STREAMING, REQUEST):
        view = assembled(raw, request=request)
        said += [data.decode("utf-8", "replace") for data in unpacked(view.body)]
        said += [repr(view), *joined([chunk.data.encode() for chunk in view.chunks]), repr(behaviour.read(view))]
        for choice in chat.answers(view).values():
            tokens = [channels.spelled(entry) for entry in choice.logprobs]
            said += [choice.content, choice.reasoning, repr(tokens)]
            said.append("".join(t if isinstance(t, str) else bytes(t).decode("latin-1") for t in tokens))
    return "\n".join(said).encode("utf-8", "replace")


def read(raw: bytes, key: str) -> set[str]:
    return {name for data in unpacked(raw) for name in readings(data, key)}


def recorded(raw: bytes, key: str) -> bytes:
    masked, _ = redact(Mask(key), raw, "POST")
    assert len(masked) == len(raw)
    return masked


@pytest.mark.parametrize("carrier", CARRIERS)
def test_by_every_way(carrier: str) -> None:
    for encoding in ("a bearer token", "some JSON escapes", "base64 at 1"):
        masked = recorded(CARRIERS[carrier](ENCODINGS[encoding](KEY)), KEY)
        assert read(masked, KEY) == set()
        assert read(heard(masked), KEY) == set()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("carrier", ["an error's message", "a header", "content", "bytes and tokens", "gzip"])
def test_in_every_encoding(carrier: str, encoding: str) -> None:
    masked = recorded(CARRIERS[carrier](ENCODINGS[encoding](KEY)), KEY)
    assert read(masked, KEY) == set()
    assert read(heard(masked), KEY) == set()


@pytest.mark.parametrize("carrier", LINES)
def test_on_every_line_of_http(carrier: str) -> None:
    for encoding in ("plain", "upper case", "percent", "base64 for URLs", "hex"):
        assert read(recorded(LINES[carrier](ENCODINGS[encoding](KEY).encode()), KEY), KEY) == set(), encoding


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_key_of_hard_characters(carrier: str) -> None:
    masked = recorded(CARRIERS[carrier](HARD), HARD)
    assert HARD not in masked.decode("utf-8", "replace")
    assert HARD not in heard(masked).decode()


def test_the_instrument_reads_what_is_not_masked() -> None:
    """Each encoding can be read by the decodings that the tests go by, else they would prove nothing."""
    unread = [name for name, spell in ENCODINGS.items() if not read(answer(spell(KEY).encode(), b""), KEY)]
    assert unread == ["dashes between"], "there the key's own dashes are lost"
    unread = [name for name, carry in CARRIERS.items() if not read(raw := carry(KEY), KEY) | read(heard(raw), KEY)]
    assert unread == []
