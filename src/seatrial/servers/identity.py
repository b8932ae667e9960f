"""Who answers at an endpoint: found out with small requests, before the plan, and not counted in it.

:func:`survey` looks with GETs alone and fails fast, so that wrong usage ends at once. :func:`identify` then sends the
warm-up and measures what the model spends on thought.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from seatrial.checks.answering import LATE
from seatrial.given.address import base_url, beside, root
from seatrial.given.errors import EndpointError, NotYet
from seatrial.kinds import detect, listed
from seatrial.kinds import profile as profiles
from seatrial.kinds.kind import HEALTH, About, Heard
from seatrial.reading.channels import THOUGHT, content
from seatrial.reading.chat import names
from seatrial.reading.fields import integer, listing, mapping, string
from seatrial.records import BUSY, Endpoint, Exchange
from seatrial.servers.asking import BASE, FirstLook, expect_api, expect_room, post, said
from seatrial.servers.embedded import template_text
from seatrial.text import flat
from seatrial.wire.transports.bystanders import Bystanders
from seatrial.wire.transports.http import Client

__all__ = ["EndpointError", "base_url", "identify", "survey"]

WARM_UP_S = 120.0
SIGHT = 32
"""Tokens of the warm-up: a model that thinks shows it at once."""
MEASURE = 1024
"""Tokens within which the length of a thought is measured."""
CAP = 16
"""The cap of most requests, which a thought must not use up."""
QUESTION = "What is 2 + 3? Answer with the number alone."

_TEMPLATES = {
    "<|im_start|>": "ChatML",
    "<start_of_turn>": "Gemma",
    "<|start_header_id|>": "Llama 3",
    "[INST]": "Mistral",
}


def survey(
    name: str,
    url: str,
    client: Client,
    *,
    model: str | None = None,
    profile: str | None = None,
    counters: bool = True,
    look: FirstLook | None = None,
) -> Endpoint:
    """Find out kind, model and capabilities, with at most three GETs in at most 3.5 s.

    Args:
        url: as :func:`base_url` gives it.
        model: the operator's ``--model``; None: the only one, or the one loaded.
        profile: the operator's ``--profile``; None: the kind is found out.
        counters: whether its counters may be read: a reading resets those that an operator's dashboard shows.
        look: what has asked for its models already; None: nobody has.

    Raises:
        EndpointError: one line that says what is wrong and what to do.
    """
    look = look or FirstLook(client)
    expect_room(look.company, url)
    answer = look.models()
    expect_api(answer, url)
    items = _items(answer)
    if items is None and not (model and answer.status in {404, 405}):
        media = flat(answer.content_type) or "nothing of a kind"
        kind_of = NotYet if answer.status in {502, 504} else EndpointError  # a gateway before its server is there
        raise kind_of(
            f"{root(url)} answers, but is no OpenAI-compatible API (GET /v1/models: {answer.status} {media}); {BASE}"
        )
    models = tuple(item["id"] for item in items or ())
    chosen = _choose(url, items or (), model)
    spared = look.company.cuts > 0  # what it says of itself is not worth another stream of somebody's
    about = About() if spared else detect.about(lambda path: _body(look.get(beside(url, path))))
    kind = profiles.load(profile or detect.named((item.get("owned_by") for item in items or ()), about))
    return Endpoint(
        name=name,
        url=url,
        kind=kind.kind,
        model=chosen,
        models=models,
        build=flat(about.build),
        slots=about.slots,
        context=about.context or next((listed.context(item) for item in items or () if item["id"] == chosen), None),
        template=_template(about.template),
        template_sum=_sum(about.template),
        file=about.file,
        marks=next((each.marks for each in listed.offered(answer.body) if each.id == chosen), {}),
        facts=_facts(answer)
        | ({"its own sampling": about.sampling} if about.sampling else {})
        | ({} if kind.met else {"profile": f"{kind.kind}: not yet met"}),
        capabilities={"metrics": not spared and _counts(look, beside(url, kind.counters.path))} if counters else {},
    )


def expect_ready(endpoint: Endpoint, client: Client, *, chat: bool, company: Bystanders | None = None) -> None:
    """Let an endpoint pass that has loaded its model: its health page, where it has one, and a chat of one token.

    Raises:
        NotYet: it has not, or does not answer.
        EndpointError: it wants something else of us.
    """
    company = company or Bystanders(lambda: None)
    health = _health(FirstLook(client, company), endpoint.url)
    if health.status in BUSY:
        expect_api(health, endpoint.url)
    if chat:
        expect_room(company, endpoint.url)
        client.turn()  # its wait is none of what may end others' streams
        with company.question("/chat/completions"):
            warm = _chat(endpoint, client, 1)
        expect_api(warm, endpoint.url)


def identify(endpoint: Endpoint, client: Client, company: Bystanders | None = None) -> Endpoint:
    """Warm the endpoint up, and see whether its model thinks: then switch that off, or let caps grow.

    At most four POSTs, the warm-up with a deadline of 120 s. A warm-up that is refused is no error of the endpoint's
    identity: it stands in ``facts``, and the trial will judge it.

    Raises:
        NotYet: nobody answers any more, it is not ready, or it must not be asked now.
        EndpointError: nobody answers in time, or without a key; or there is no such model.
    """
    company = company or Bystanders(lambda: None)
    expect_room(company, endpoint.url)
    client.turn()
    with company.question("/chat/completions"):
        warm = _chat(endpoint, client, SIGHT)
    expect_room(company, endpoint.url)
    if warm.error in {"deadline", "idle"}:
        who = f"{flat(endpoint.model)} at {root(endpoint.url)}"
        if warm.raw:
            took = (warm.ended_at - warm.sent_at) / 1e9
            came = f"{len(warm.raw)} bytes in {took:.0f} s"
            raise EndpointError(f"{who} begins to answer the warm-up request, and its answer has no end: {came}")
        raise EndpointError(f"{who} does not answer the warm-up request within {WARM_UP_S:.0f} s")
    expect_api(warm, endpoint.url)
    if warm.status == 404:
        why = said(warm) or f"404 {flat(warm.content_type)}"
        raise EndpointError(
            f"{root(endpoint.url)} has no chat for {flat(endpoint.model)} ({why}); {BASE}, --model its id"
        )
    facts = dict(endpoint.facts)
    if warm.status != 200:
        facts["warm-up"] = f"{warm.status} {said(warm)}".strip()
    found = msgspec.structs.replace(endpoint, facts=facts, named=next(iter(names(warm)), ""))
    return _unthinking(found, client) if _reasoning(warm) else found


# models


def _items(x: Exchange) -> tuple[dict[str, Any], ...] | None:
    """The listed models that have an id; None where the answer is no list of models at all."""
    listed = x.json.get("data") if isinstance(x.json, dict) else x.json
    if x.status != 200 or not isinstance(listed, list):
        return None
    return tuple(item for item in listed if string(mapping(item).get("id")) is not None)


def _choose(url: str, items: Sequence[dict[str, Any]], wanted: str | None) -> str:
    """The model to ask for. A gateway lists patterns, as ``*`` or ``openai/*``: any name that fits one is offered."""
    offered = list(dict.fromkeys(item["id"] for item in items))  # a gateway lists one name for each of its servers
    models = [name for name in offered if "*" not in name]
    if wanted is not None:
        aliases = [a for item in items for a in listing(item.get("aliases")) if isinstance(a, str)]
        fits = any(_fits(wanted, name) for name in offered)
        if offered and not fits and wanted not in aliases:
            near = difflib.get_close_matches(wanted, offered, n=1, cutoff=0.5)
            hint = f"nearest: {flat(near[0])}" if near else f"it has {_names(offered)}"
            raise EndpointError(f"{root(url)} offers no model {flat(wanted)}; {hint}")
        return wanted
    loaded = list(dict.fromkeys(item["id"] for item in items if listed.is_loaded(item)))
    if len(models) == 1 or len(loaded) == 1:
        return str(models[0] if len(models) == 1 else loaded[0])
    if not offered:
        raise EndpointError(f"{root(url)} lists no model; load one, or name one with --model")
    if not models:
        raise EndpointError(f"{root(url)} lists patterns of models ({_names(offered)}): name a model with --model")
    raise EndpointError(f"{root(url)} offers {len(offered)} models: name one with --model: {_names(offered)}")


def _fits(wanted: str, name: str) -> bool:
    """Whether a listed name, which may be a pattern with ``*``, stands for the wanted one."""
    return fnmatchcase(wanted, re.sub(r"[?\[]", r"[\g<0>]", name))


def _names(models: Sequence[str], most: int = 12) -> str:
    names = ", ".join(flat(model, 60) for model in models[:most])
    return names if len(models) <= most else f"{names} and {len(models) - most} more"


# what is known of the server


def _body(answer: Exchange) -> bytes | None:
    return answer.body if answer.status == 200 else None


def _health(look: FirstLook, url: str) -> Exchange:
    """The page where a server says whether it is well: the usual one where no kind is met of which that has a price."""
    for sign, _ in detect.doors():
        x = look.get(beside(url, sign.path))
        if detect.meets(sign, x.status, Heard(x.body, dict(x.headers))) is not False:
            return x  # of that kind, or nobody can tell yet
    return look.get(beside(url, HEALTH))


def _counts(look: FirstLook, path: str) -> bool:
    """Whether the server shows counters under names that are known."""
    metrics = look.get(path)
    return metrics.status == 200 and profiles.counted(metrics.body) is not None


def _facts(x: Exchange) -> dict[str, str]:
    server = x.header("server")
    return {"server": flat(server)} if server else {}


def _template(text: str) -> str:
    if not text:
        return ""
    if text.strip() == template_text("qa").strip():
        return "plain question-answer"
    return next((words for mark, words in _TEMPLATES.items() if mark in text), "its own")


def _sum(text: str) -> str:
    """By which a text is known again; empty of none."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16] if text else ""


def _count(value: Any) -> int:
    """A number of tokens; 0 where it is none."""
    return max(integer(value) or 0, 0)


# thinking


def _chat(endpoint: Endpoint, client: Client, cap: int, extra: dict[str, Any] | None = None) -> Exchange:
    messages = [{"role": "user", "content": QUESTION}]
    body = {**(extra or {}), "model": endpoint.model, "messages": messages, "max_tokens": cap}
    return post(client, "/chat/completions", body, WARM_UP_S)


def _unthinking(endpoint: Endpoint, client: Client) -> Endpoint:
    """The endpoint with what keeps thought from eating up the answers."""
    for off in profiles.load(endpoint.kind).thinking.off:
        answer = _chat(endpoint, client, SIGHT, off)
        if answer.status == 200 and not _reasoning(answer) and _message(answer).get("content"):
            return msgspec.structs.replace(endpoint, thinking=True, extra_body={**endpoint.extra_body, **off})
    measured = _chat(endpoint, client, MEASURE)
    late = measured.error in LATE
    thought = MEASURE if late else _thought(measured)  # of one that was cut nothing is known but that it went on
    took = (measured.ended_at - measured.sent_at) / 1e9
    told = f"a sum had no answer after {took:.0f} s" if late else f"{thought} tokens for a sum"
    facts = {**endpoint.facts, "thinking": told}
    return msgspec.structs.replace(endpoint, thinking=True, cap_factor=(CAP + 4 * thought) / CAP, facts=facts)


def _message(x: Exchange) -> dict[str, Any]:
    first = next(iter(listing(mapping(x.json).get("choices"))), None)
    return mapping(mapping(first).get("message"))


def _reasoning(x: Exchange) -> str:
    """The thought in an answer: in a field of its own, or marked in the content."""
    message = _message(x)
    for field in THOUGHT:
        if (text := string(message.get(field)) or "").strip():
            return text
    marked = re.match(r"\s*<think(?:ing)?>(.*?)(</think|$)", content(message), re.DOTALL)
    return marked[1] or " " if marked else ""


def _thought(x: Exchange) -> int:
    """Tokens of thought in an answer: as the server counts them, else by its share of the text, at least 1."""
    usage = mapping(mapping(x.json).get("usage"))
    if counted := _count(mapping(usage.get("completion_tokens_details")).get("reasoning_tokens")):
        return counted
    reasoning, words = _reasoning(x), content(_message(x))
    total = _count(usage.get("completion_tokens")) or math.ceil(len(reasoning) / 4)
    apart = 0 if words.lstrip().startswith("<think") else len(words)
    return max(1, math.ceil(total * len(reasoning) / max(1, len(reasoning) + apart)))
