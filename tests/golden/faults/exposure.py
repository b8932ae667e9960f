"""Faults of what lies open: routes that no stranger may have."""

from __future__ import annotations

from typing import Any

from tests.golden.edits import HTML
from tests.golden.items import Reply
from tests.golden.registry import Call, Shot, When, chat, fault, freedom

COMMANDS = "exposure/no-route-runs-commands"
PROXIES = "exposure/no-route-fetches-for-strangers"
DELETES = "exposure/no-route-deletes-for-strangers"
SHOWS = "exposure/no-route-shows-the-work-of-others"


def _at(method: str, path: str) -> When:
    return lambda call: call.request.method == method and call.path == path


def _takes(method: str) -> Reply:
    """What a route answers to another method than its own."""
    return Reply(405, {"detail": "Method Not Allowed"}, (("Content-Type", "application/json"), ("Allow", method)))


@fault("tools-for-anybody", caught_by=COMMANDS, stage="reply", when=_at("GET", "/tools"))
def tools_for_anybody(reply: Reply, shot: Shot) -> Reply:
    """A list of tools that run on the host is there, a shell among them, as of llama-server with --tools all."""
    return Reply(200, [{"name": "exec_shell_command", "description": "Run a command."}])


@fault("calls-for-anybody", caught_by=COMMANDS, stage="reply", when=_at("OPTIONS", "/collective_rpc"))
def calls_for_anybody(reply: Reply, shot: Shot) -> Reply:
    """A route that calls any method of the workers takes POST, as of vLLM in its development mode."""
    return _takes("POST")


@fault("fetches-for-anybody", caught_by=PROXIES, stage="reply", when=_at("GET", "/cors-proxy"))
def fetches_for_anybody(reply: Reply, shot: Shot) -> Reply:
    """A proxy misses an address to fetch: 400, as of llama-server with --ui-mcp-proxy."""
    return Reply(400, {"error": {"message": "missing url", "type": "invalid_request_error", "code": 400}})


@fault("fetches-and-falls-over", caught_by=PROXIES, stage="reply", when=_at("GET", "/cors-proxy"))
def fetches_and_falls_over(reply: Reply, shot: Shot) -> Reply:
    """A proxy without an address to fetch gives 500."""
    return Reply(500, b"Invalid URL ''", (("Content-Type", "text/plain"),))


@fault("deletes-for-anybody", caught_by=DELETES, stage="reply", when=_at("OPTIONS", "/api/delete"))
def deletes_for_anybody(reply: Reply, shot: Shot) -> Reply:
    """A route that deletes models is there, as Ollama has it for whoever reaches its port."""
    return _takes("DELETE")


def _slots_or_chats(call: Call) -> bool:
    return chat(call) or _at("GET", "/slots")(call)


@fault("slots-show-prompts", caught_by=SHOWS, stage=("body", "reply"), when=_slots_or_chats)
def slots_show_prompts(value: Any, shot: Shot) -> Any:
    """A slot at rest shows the last prompt, as llama-server's did by default until the end of 2024."""
    if chat(shot.call):
        if not isinstance(value, Reply) and isinstance(value, dict) and value.get("messages"):
            shot.memory["prompt"] = str(value["messages"])
        return value
    prompt = shot.memory.get("prompt")
    return value if prompt is None else Reply(200, [{**slot, "prompt": prompt} for slot in value.payload])


def _streams_or_chats(call: Call) -> bool:
    return chat(call) or _at("GET", "/v1/streams")(call)


@fault("streams-of-others-are-listed", caught_by=SHOWS, stage=("whole", "reply"), when=_streams_or_chats)
def streams_of_others_are_listed(value: Any, shot: Shot) -> Any:
    """A list of answers that can be gone on with names everybody's, so that anybody can read on, or delete them."""
    if chat(shot.call):
        if not isinstance(value, Reply):
            shot.memory.setdefault("ids", []).append(value["id"])
        return value
    return Reply(200, [{"id": name} for name in shot.memory.get("ids", [])])


def _beside_the_api(call: Call) -> bool:
    return call.request.method == "GET" and not call.path.startswith("/v1/")


@freedom(
    "a-page-for-any-path",
    of="paths beside the API",
    source="web interfaces answer any path with their page, and read it there: nginx try_files, llama.cpp's own UI",
    stage="reply",
    when=_beside_the_api,
)
def a_page_for_any_path(reply: Reply, shot: Shot) -> Reply:
    """Beside the API every path that is not there gives the page of a web interface, with 200."""
    return Reply(200, b"<!doctype html><title>Chat</title>", HTML) if reply.status == 404 else reply
