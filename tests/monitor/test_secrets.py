"""What is shown of command lines and logs holds no secret."""

from __future__ import annotations

import os
import time

import pytest

from seatrial.monitor.process.commandline import without_secrets
from seatrial.monitor.process.fingerprint import shown
from seatrial.monitor.process.owners import Finder
from seatrial.monitor.sources.log import Tail
from seatrial.monitor.target import open_target
from seatrial.records.targets import Watch
from seatrial.wire.masking.mask import Mask
from tests.waiting import until


@pytest.mark.parametrize(("given", "expected"), [
    (["s", "--api-key", "x", "--port", "1"], ["s", "--api-key", "*", "--port", "1"]),
    (["s", "--api-key=x", "HF_TOKEN=y"], ["s", "--api-key=*", "HF_TOKEN=*"]),
    (["s", "--api-key=x y z", "-m", "m"], ["s", "--api-key=*", "-m", "m"]),
    (["s", "--api-key-required", "--port", "1"], ["s", "--api-key-required", "--port", "1"]),
    (["s", "-m", "monkey.gguf", "monkey:7b"], ["s", "-m", "monkey.gguf", "monkey:7b"]),
    (["s", "--api-key", "k1", "k2", "--port", "1"], ["s", "--api-key", "*", "*", "--port", "1"]),
    (["s", "--api-key", "-sk", "--port", "1"], ["s", "--api-key", "*", "--port", "1"]),
    (["s", "--api_key", "--sk", "-m", "m"], ["s", "--api_key", "*", "-m", "m"]),
    (["s", "--hf_token", "-x", "-m", "m"], ["s", "--hf_token", "*", "-m", "m"]),
    (["s", "--api-key", "two words"], ["s", "--api-key", "*"]),
    (["s", "-hft", "hf_x", "-hf", "a/b"], ["s", "-hft", "*", "-hf", "a/b"]),
    (["s", "-hft", "-x", "-hf", "a/b"], ["s", "-hft", "*", "-hf", "a/b"]),
    (["s", "--max-num-batched-tokens", "--port", "1"], ["s", "--max-num-batched-tokens", "--port", "1"]),
    (["sh", "-c", "exec llama-server --api-key sk-x -m m"], ["sh", "-c", "exec llama-server --api-key * -m m"]),
    (["sh", "-c", "exec  s -hft hf_x\n-m m"], ["sh", "-c", "exec  s -hft *\n-m m"]),
    (["sh", "-c", "s --api-key -sk k2 --port 1"], ["sh", "-c", "s --api-key * * --port 1"]),
    (["sh", "-c", "HF_TOKEN=x exec s --port 1"], ["sh", "-c", "HF_TOKEN=* exec s --port 1"]),
    (["sh", "-c", "A_KEY='x y z' exec s"], ["sh", "-c", "A_KEY=* * * exec s"]),
    (["sh", "-c", "s --api-key='x y' -m m"], ["sh", "-c", "s --api-key=* * -m m"]),
    (["s --api-key sk-x --port 1"], ["s --api-key * --port 1"]),
    (["c", "-H", "Authorization: Bearer sk-x", "-m", "m"], ["c", "-H", "Authorization: *", "-m", "m"]),
    (["c", "--header", "X-Team: a b"], ["c", "--header", "X-Team: *"]),
    (["c", "--header=Authorization: Bearer sk-x"], ["c", "--header=Authorization: * *"]),
    (["c", "--header=Authorization:Bearer sk-x"], ["c", "--header=Authorization:* *"]),
    (["c", "--header=Cookie: session=sk-x; b=c"], ["c", "--header=Cookie: * *"]),
    (["c", "--with", "Bearer sk-x"], ["c", "--with", "Bearer *"]),
    (["sh", "-c", "curl -H 'Authorization: Bearer sk-x' -m 1"], ["sh", "-c", "curl -H 'Authorization: * * -m 1"]),
    (["s", "--model-url", "https://u:pw@host/m.gguf"], ["s", "--model-url", "https://*@host/m.gguf"]),
    (["s", "--model-url=https://u:p@w@host"], ["s", "--model-url=https://*@host"]),
    (["s", "http://h/?a=1&token=x&b=2"], ["s", "http://h/?a=1&token=*&b=2"]),
    (["s", "http://h/?token=x"], ["s", "http://h/?token=*"]),
    (["s", "--extra", '{"api_key":"sk-x"}'], ["s", "--extra", '{"api_key":*']),
    (["s", "--extra", '{"a": 1, "api_key": "sk-x"}'], ["s", "--extra", '{"a": 1, "api_key": *']),
    (["s", "--host", "0.0.0.0", "-hf", "a/b:Q4_K_M"], ["s", "--host", "0.0.0.0", "-hf", "a/b:Q4_K_M"]),
    (["python", "-c", "import http.server as s; s.main()"], ["python", "-c", "import http.server as s; s.main()"]),
    ([""], [""]),
    ([], []),
])  # fmt: skip
def test_secrets_of_a_command_line_are_not_shown(given, expected):
    assert without_secrets(given) == expected


def test_a_key_at_the_cut_of_a_command_line_is_hidden_too():
    key = "sk-0123456789"
    assert shown("x" * 1995 + key, Mask(key)) == "x" * 1995 + "*" * 5


@pytest.mark.parametrize("word", ["a-" * 60_000, "?key" * 30_000, "://a" * 30_000, "a b " * 30_000, "key " * 30_000])
def test_a_long_word_is_looked_at_in_no_time(word):
    began = time.process_time()
    without_secrets(["s", word, f"--chat-template={word}"])
    assert time.process_time() - began < 2


@pytest.mark.parametrize(("headers", "secrets"), [
    ({"Authorization": "Bearer sk-0123456789"}, ["sk-0123456789"]),
    ({"Cookie": "a=first-value; b=other-value"}, ["first-value", "other-value"]),
    ({"X-Team": "team-of-the-nines"}, ["team-of-the-nines"]),
])  # fmt: skip
def test_the_operators_headers_are_not_shown_in_a_log(tmp_path, headers, secrets):
    log = tmp_path / "server.log"
    log.write_text("".join(f"got {secret} here\n" for secret in secrets))
    wake = os.eventfd(0)
    finder = Finder(wake)
    target = open_target(Watch(name="a", log=str(log), headers=headers), finder, wake, say=lambda _: None,
                         follow=lambda *_: None)  # fmt: skip
    tail = next(source for source in target.sources if isinstance(source, Tail))
    tail.read(1)
    (line,) = until(tail.take, "the log")
    target.close()
    finder.close()
    os.close(wake)
    assert list(line.text) == [f"got {'*' * len(secret)} here" for secret in secrets]
