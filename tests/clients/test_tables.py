"""The tables of clients: what they name exists, what is wrong in one is a line, and each of their needs decides."""

from __future__ import annotations

import re

import pytest

from seatrial.checks.traits import DECLARED
from seatrial.clients import profile, settings
from seatrial.clients.sets import sets
from seatrial.given.errors import ConfigError
from seatrial.records import Ready
from seatrial.verdict.clients import is_of, means, told
from tests.clients.judging import PAGE, cases, traits, verdict
from tests.golden.faults import FAULTS
from tests.silence.tables import SENT
from tests.silence.trial import RULES

pytestmark = pytest.mark.early

KNOWN = profile.known()
SORTS = [(name, sort) for name, table in KNOWN.items() for sort in table.judged_by]
IDS = [f"{name}-{getattr(sort, 'what', getattr(sort, 'name', ''))}" for name, sort in SORTS]
BUILT_IN = {"url", "model", "key", "thinks", "context", "answer", "keywords"}
"""Values that every table may call for; the command gives them."""

FREE = frozenset({"openai-node", "openai-python", "litellm", "langchain"})
"""Clients of which not every user has tools: a server may decline those."""


def test_those_that_were_asked_for_are_known():
    assert set(KNOWN) == {
        "langchain", "litellm", "openai-agents", "openai-node", "openai-python", "openclaw", "pydantic-ai",
    }  # fmt: skip
    assert set(sets()) <= set(KNOWN)


@pytest.mark.parametrize(("name", "sort"), SORTS, ids=IDS)
def test_every_rule_that_a_table_names_exists_and_meets_a_request(name, sort):
    for pattern in sort.rules:
        assert any(
            means(type(sort)(**{**_fields(sort), "rules": (pattern,)}), rule.id, traits(scenario))
            for rule in RULES.values()
            for scenario in SENT
            if rule.applies(SENT[scenario])
        ), f"{name}: {pattern} judges no request that is meant"


@pytest.mark.parametrize(("name", "sort"), SORTS, ids=IDS)
def test_every_trait_that_a_table_names_is_declared(name, sort):
    assert set(sort.of) | set(sort.unless) <= set(DECLARED)


def test_a_rule_that_does_not_exist_is_seen():
    need = profile.Need(what="w", rules=("sse/no-such-rule",), so="s", source="t")
    assert not any(means(need, rule, traits(s)) for rule in RULES for s in SENT)


@pytest.mark.parametrize("name", list(KNOWN))
def test_settings_call_for_values_that_there_are(name):
    table = KNOWN[name].settings
    if table is None:
        return
    called = set(re.findall(r"\{([a-z_]+)\}", str(table.body)))
    decided = {setting.name for setting in table.by_results}
    assert called <= BUILT_IN | decided
    assert table.form == "json" or table.call


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("title =", "titel ="), "line 3: unknown key titel"),
        (("so = \"the run fails", "sow = \"the run fails"), "unknown key sow"),
        (("seconds = 300", 'seconds = "long"'), "seconds: Expected `float`, got `str`".replace("`", "")),
        (('what = "a list of models"\n', ""), "there is no key what"),
    ],
    ids=["of-the-table", "of-a-need", "type", "missing"],
)  # fmt: skip
def test_a_wrong_key_is_one_clear_line(tmp_path, change, says):
    text = (profile.FOLDER / "openclaw.toml").read_text("utf-8")
    assert change[0] in text
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace(*change, 1), "utf-8")
    with pytest.raises(ConfigError) as caught:
        profile.read(path)
    assert says in str(caught.value)
    assert "wrong.toml line" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "says"), [("opnclaw", "nearest: openclaw"), ("xyzzy", "known: langchain")])
def test_a_client_that_is_not_known_names_the_nearest(name, says):
    with pytest.raises(ConfigError, match=says):
        profile.named((name,))


@pytest.mark.parametrize("name", list(KNOWN))
def test_an_honest_server_is_ready_for_every_client(name):
    found = verdict(KNOWN[name])
    assert (found.verdict, found.reasons, found.held) == (Ready.READY, (), found.needs)


@pytest.mark.parametrize(
    ("name", "fault", "broken"),
    [
        ("openclaw", "stream-usage-missing", "usage at the end of a stream"),
        ("openclaw", "finish-reason-never", "streams that come whole"),
        ("openclaw", "streamed-piece-lost", "arguments that are JSON"),
        ("openclaw", "front-is-cut", "a prompt too long is an error"),
        ("openclaw", "arguments-null-first", "tools"),  # its rule is a SHOULD
        ("langchain", "call-index-missing", "calls of tools"),
        ("langchain", "max-completion-tokens-ignored", "a cap by its newer name"),
        ("pydantic-ai", "required-is-auto", "calls of tools"),
        ("openai-python", "role-in-every-chunk", "deltas that join to what was said"),
        ("openai-node", "bad-messages-500", "a client's fault is a 4xx"),
        ("openai-node", "stream-usage-without-id", "answers that its SDK gives as they were sent"),
        ("litellm", "json-truncated", "answers of their shape"),
        ("openai-agents", "max-tokens-ignored", "a cap"),
    ],
)
def test_a_fault_of_its_table_flips_the_verdict_for_a_client(name, fault, broken):
    found = verdict(KNOWN[name], fault)
    assert found.verdict is Ready.NOT_READY
    assert broken in found.broken
    need = next(need for need in KNOWN[name].needs if need.what == broken)
    assert any(need.so in reason.text and reason.cases for reason in found.reasons)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("openclaw", "n-ignored"),
        ("openclaw", "max-tokens-ignored"),
        ("openclaw", "content-a-list"),
        ("openclaw", "stop-ignored"),
        ("openclaw", "unknown-path-html"),
        ("langchain", "stream-usage-missing"),
        ("openai-agents", "max-completion-tokens-ignored"),
        ("openai-python", "done-missing"),
        ("openai-node", "role-in-every-chunk"),
        ("openai-node", "arguments-null-first"),
        ("litellm", "role-in-every-chunk"),
        ("pydantic-ai", "logprobs-ignored"),
    ],
)
def test_a_fault_that_it_does_not_feel_leaves_it_alone(name, fault):
    assert FAULTS[fault].caught_by
    assert verdict(KNOWN[name], fault).verdict is Ready.READY


@pytest.mark.parametrize("name", list(KNOWN))
def test_a_server_without_tools_is_for_those_who_can_do_without(name):
    found = verdict(KNOWN[name], "no-tools")
    assert found.verdict is (Ready.READY if name in FREE else Ready.NOT_READY)
    assert name in FREE or any(reason.word == "UNSUPPORTED" for reason in found.reasons)


def test_all_that_is_judged_for_a_client_is_of_a_suite():
    for name, table in KNOWN.items():
        assert any(is_of([table], rule, traits(s)) for rule in RULES for s in SENT), name


def test_settings_leave_out_what_has_no_value():
    table = KNOWN["openclaw"].settings
    text = settings.pasted(table, {"url": "http://h/v1", "model": "m", "key": "local", "tools": False})
    assert '"supportsTools": false' in text
    assert '"id": "m"' in text
    assert "{" not in text.replace("{\n", "").replace("{}", "")
    assert "contextWindow" not in text


def test_a_decided_value_is_told_by_the_key_that_a_user_pastes():
    table = KNOWN["openclaw"].settings
    assert settings.named(table, "usage") == "supportsUsageInStreaming"
    assert settings.named(table, "url") == "baseUrl"
    assert settings.named(table, "own") == "own"  # of no key: it decides what stands under another


def test_what_is_judged_only_where_it_is_at_hand_is_no_need_without_it():
    table = KNOWN["openai-node"]
    reading = "sdk/node-gives-the-answer-that-was-sent"
    judged = cases(table)
    with_it, without = (told(table, some, PAGE) for some in (judged, [c for c in judged if c.rule != reading]))
    assert (with_it.verdict, with_it.needs) == (Ready.READY, without.needs + 1)
    assert (without.verdict, without.held) == (Ready.READY, without.needs)


def test_a_key_is_written_as_its_variable_and_never_as_itself():
    assert settings.key(KNOWN["openclaw"].settings, "MY_KEY") == "${MY_KEY}"
    call = KNOWN["openai-python"].settings
    text = settings.pasted(call, {"url": "http://h/v1", "key": settings.key(call, "MY_KEY")})
    assert text == "OpenAI(\n    base_url='http://h/v1',\n    api_key=os.environ[\"MY_KEY\"],\n)"


def _fields(sort):
    return {name: getattr(sort, name) for name in sort.__struct_fields__}
