"""Which program a process runs, by its fingerprint."""

from __future__ import annotations

import pytest

from seatrial.stops.evidence.programs import another, deleted, model_of, program_of


def facts(exe: str, arguments: str = "") -> dict[str, str]:
    return {"exe": exe, "arguments": arguments}


@pytest.mark.parametrize(("exe", "arguments", "said"), [
    ("/opt/llama/llama-server", "llama-server -m a.gguf", "llama-server"),
    ("/opt/llama/llama-server (deleted)", "llama-server", "llama-server"),
    ("/usr/bin/python3.12", "python3 -m vllm.entrypoints.openai.api_server --port 8000",
     "python -m vllm.entrypoints.openai.api_server"),
    ("/usr/bin/python3.12", "/usr/bin/python3 /usr/local/bin/vllm serve m", "python vllm"),
    ("/usr/bin/python3.12", "python -X dev -u /srv/app.py", "python app.py"),
    ("/usr/bin/python3.12", "python -c import http.server as s; s.main()", "python import http.server as s; s.main()"),
    ("/usr/bin/uv", "uv run python server.py", "uv server.py"),
    ("/usr/bin/node", "node --enable-source-maps /srv/index.js", "node index.js"),
    ("/usr/lib/jvm/bin/java", "java -Xmx4g -cp a:b -jar /srv/x.jar", "java x.jar"),
    ("/bin/bash", "bash /srv/run.sh --port 80", "bash run.sh"),
    ("/usr/bin/python3", "VLLM::EngineCore", "python"),
])  # fmt: skip
def test_a_program_is_its_executable_and_what_it_interprets(exe, arguments, said):
    assert str(program_of(facts(exe, arguments))) == said


LLAMA = facts("/opt/a/llama-server", "llama-server -m x.gguf")
PYTHON = facts("/usr/bin/python3.11", "python3 /srv/app.py")


@pytest.mark.parametrize(("old", "new", "expected"), [
    (LLAMA, facts("/opt/b/llama-server", "llama-server"), False),
    (LLAMA, facts("/opt/a/llama-server (deleted)"), False),
    (LLAMA, facts("/usr/bin/ollama"), True),
    (LLAMA, PYTHON, True),
    (PYTHON, facts("/usr/bin/python3.12", "python /new/app.py"), False),
    (PYTHON, facts("/usr/bin/python3.11", "python3 -m http.server"), True),
    (PYTHON, facts("/usr/bin/python3.11", "python3 -c print(1)"), True),
    (PYTHON, facts("/usr/bin/python3.11", "VLLM::EngineCore"), None),
    (facts("/bin/python3", "python -m vllm.api --port 1"), facts("/bin/python3", "python /bin/vllm serve"), False),
    (LLAMA, {}, None),
    ({}, {}, None),
])  # fmt: skip
def test_programs_are_compared_and_what_is_not_known_is_not_another(old, new, expected):
    assert another(old, new) is expected
    assert another(new, old) is expected


def test_a_binary_that_was_replaced_under_a_running_server_is_seen():
    assert deleted(facts("/opt/llama-server (deleted)"))
    assert deleted(LLAMA | {"exe deleted": "yes"})
    assert not deleted(LLAMA)


@pytest.mark.parametrize(("exe", "arguments", "model"), [
    ("/a/llama-server", "llama-server -m x.gguf --port 1", "x.gguf"),
    ("/a/ollama", "ollama runner --model=/blobs/1", "/blobs/1"),
    ("/usr/bin/python3", "python -m vllm --model m", "m"),
    ("/usr/bin/python3", "python -m vllm", ""),
    ("/a/x", "x --model", ""),
])  # fmt: skip
def test_the_model_is_what_the_arguments_name(exe, arguments, model):
    assert model_of(facts(exe, arguments)) == model
