"""What is wrong in one way has one reason: of all rules that it breaks one fails, and the others hang on it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from seatrial.checks.rules import Rule
from seatrial.judging.case import FAILED, Evidenced, Terms, judge_case
from seatrial.judging.waivers import Waivers
from seatrial.oracles import node
from seatrial.records import Judged, Outcome, Planned
from tests.golden.memory import Memory
from tests.silence.asking import Asker
from tests.silence.tables import SCENARIOS
from tests.silence.trial import BADLY, PATIENCE_S, RULES, expecting, known

STREAMS = ("stream", "stream-usage", "stream-unicode", "stream-long", "both-ways", "both-ways-turns")
STREAMS += ("scripts-both-ways", "cuts-both-ways", "same-words", "wordless")
CAPS = ("plain", "max-tokens", "max-tokens-stream", "max-completion-tokens", "max-completion-tokens-stream")
CAPS += ("n", "caps-differ", "both-ways-turns", "same-words")
STOPS = ("stop", "stop-stream", "stop-strings")
CALLS = ("tool-required", "tool-named", "tool-required-stream", "tool-named-stream", "tools-parallel-stream")
CALLS += ("tool-both-ways", "tool-no-parameters")
SEVERAL = ("tool-named", "tool-named-stream", "tool-no-parameters", "tools-bad", "tools-many", "tools-zoo")
RESULTS = ("tool-result", "tool-result-stream", "tool-result-forms")
TURNS = (*RESULTS, "tool-results-of-a-turn")
PLAIN = ("plain", "turns", "labels", "null-cap", "message-fields", "stop-none", "max-tokens")
MADE = (
    "structured-asked",
    "structured-asked-stream",
    "adverse",
    "any-script",
    "any-script-stream",
    "echo",
    "echo-stream",
)
MADE += ("json-object", "bound-and-cut", "tool-named", "tool-named-stream", "tool-required", "tool-both-ways")
MADE += ("tools-strict", "everyday", "formats", "parsed", "format-and-tools")
FORMED = ("structured-asked", "adverse", "parsed", "references", "everyday")
KEYS = ("keys", "keys-stream", "patterns", "formats", "bounds-of-numbers", "lengths-stream")
THOUGHTS = ("reasoning-asked", "thought-stream", "thought", "thought-back", "tools-thought")
VECTORS = ("embeddings-asked", "embeddings-forms", "embeddings-company", "embeddings-dimensions", "embeddings-ids")
OPTIONS = ("stream-usage", "stream-long", "unknown", "both-ways-turns", "json-object-stream", "any-script-stream")
CUT = ("tool-cut", "tool-cut-stream", "bound-and-cut", "bound-and-cut-stream", "structured-asked-stream", "thought")
EACH = ("plain", "stream", "stream-usage", "prompt-lengths", "roles", "role-developer", "turns-in-a-row", "two-lengths")
EACH += ("second-turn", "tool-result-forms", "counted", "n", "both-ways-turns", "metered", "thought")
REFUSALS = ("no-messages", "stream-no-messages", "empty-messages", "temperature-text", "out-of-range", "cap-negative")
REFUSALS += ("cap-huge", "stray-options", "top-logprobs-alone", "stop-five")
FAILING = (*STREAMS, *CAPS, *OPTIONS, "reuse", "coded", "with-stream-options", "seed-stream", "bias-stream")
FAILING += ("frequency-stream", "presence-stream", "n-apart-stream", "stop-scripts", "format-and-tools-stream", "crowd")

ONE = {
    "role-in-every-chunk": ("sse/role-is-sent-once", STREAMS),
    "half-of-a-pair": ("sse/stream-is-utf-8", (*STREAMS, "structured-asked-stream", "any-script-stream")),
    "far-planes-replaced": ("sse/no-character-is-replaced", (*STREAMS, "any-script-stream", "tools-strict")),
    "finish-reason-empty-at-first": ("chat/finish-reason-is-known", STREAMS),
    "chunk-after-done": ("sse/done-comes-once-and-last", STREAMS),
    "no-chunk-at-first": ("schema/answer-validates", STREAMS),
    "max-tokens-ends-with-stop": ("params/max-tokens-caps", CAPS),
    "cap-overrun": ("chat/completion-tokens-keep-the-cap", CAPS),
    "stop-ignored": ("params/stop-string-ends-the-answer", STOPS),
    "stop-kept-in-the-text": ("params/stop-string-ends-the-answer", STOPS),
    "arguments-as-a-repr": ("tools/call-has-its-fields", CALLS),
    "words-behind-arguments": ("tools/call-has-its-fields", (*CALLS, "tools-parallel")),
    "arguments-beside-the-schema": ("tools/strict-schemas-are-enforced", (*CALLS, "tools-strict")),
    "finish-reason-twice": ("sse/one-finish-reason-per-choice", (*CALLS, "tool-words-beside")),
    "choice-without-role": ("chat/choices-are-indexed-and-from-the-assistant", (*PLAIN, *CALLS)),
    "content-missing": (
        "chat/content-is-string-or-null",
        (*PLAIN, "both-ways", "tool-none", "structured-asked", "json-object"),
    ),
    "object-decoded": ("chat/content-is-string-or-null", (*MADE, "adverse-stream")),
    "schema-as-a-call": ("structured/answer-validates", FORMED),
    "object-as-thought": ("structured/answer-validates", (*FORMED, "format-and-thought")),
    "tools-not-looked-at": ("tools/required-calls", (*CALLS, "tools-bad", "tools-many")),
    "usage-of-the-last-message": (
        "chat/messages-of-each-role-are-read",
        (*TURNS, "roles", "roles-beside-tools", "role-developer", "turns-in-a-row", "second-turn"),
    ),
    "overflow-closes": ("errors/faulty-request-is-answered", ("beyond-context", "beyond-context-stream")),
    "calls-as-parts-of-the-content": ("chat/content-is-string-or-null", CALLS),
    "calls-as-they-were-of-old": ("tools/required-calls", (*CALLS, "tool-cut")),
    "streamed-calls-without-a-function": ("tools/call-has-its-fields", CALLS),
    "results-end-in-a-500": ("http/valid-request-is-answered", (*RESULTS, "tool-results-of-a-turn")),
    "first-call-of-a-turn-alone": ("tools/each-result-of-a-turn-reaches-the-model", TURNS),
    "last-result-of-a-turn-alone": ("tools/each-result-of-a-turn-reaches-the-model", TURNS),
    "vectors-as-text": ("embeddings/answer-has-its-shape", VECTORS),
    "batch-not-normalised": ("embeddings/batch-equals-its-parts", VECTORS),
    "thought-twice-in-each-delta": ("sse/deltas-are-deltas", THOUGHTS),
    "thought-grows-in-deltas": ("sse/deltas-are-deltas", THOUGHTS),
    "vectors-nested": ("embeddings/answer-has-its-shape", VECTORS),
    "call-type-null-later": ("tools/call-has-its-fields", CALLS),
    "call-ids-begin-anew-with-each-answer": ("tools/new-call-has-a-new-id", (*CALLS, "tools-parallel")),
    "calls-share-an-id": ("tools/new-call-has-a-new-id", (*CALLS, "tools-parallel")),
    "first-tool-alone": ("tools/many-tools-are-accepted", SEVERAL),
    "last-tool-alone": ("tools/many-tools-are-accepted", SEVERAL),
    "last-tool-alone-is-talked-about": ("tools/many-tools-are-accepted", SEVERAL),
    "earlier-calls-dropped": ("tools/earlier-call-reaches-the-model", RESULTS),
    "results-dropped": ("tools/result-reaches-the-model", RESULTS),
    "choices-share-their-draws": ("params/each-choice-is-drawn-by-itself", ("n", "n-stream", "n-apart")),
    "sixteen-tokens-without-a-cap": ("params/answer-without-a-cap-is-not-cut", (*CAPS, "no-cap")),
    "image-passed-over": ("multimodal/image-is-seen-or-refused", ("image", "text-parts")),
    "call-begins-without-its-id": ("tools/id-and-name-of-a-streamed-call-come-once", CALLS),
    "temperature-zero-refused": ("http/valid-request-is-answered", (*PLAIN, "temperature-text")),
    "created-with-a-fraction": ("chat/created-is-in-seconds", (*PLAIN, *STREAMS)),
    "created-a-float": ("chat/created-is-in-seconds", (*PLAIN, *STREAMS)),
    "answer-escaped-for-html": ("context/text-comes-as-it-was-written", MADE),
    "answer-read-as-latin-1": ("context/text-comes-as-it-was-written", MADE),
    "answer-decomposed": ("context/text-comes-as-it-was-written", MADE),
    "far-planes-taken-out": ("context/text-comes-as-it-was-written", MADE),
    "far-planes-taken-out-of-arguments": ("context/text-comes-as-it-was-written", (*CALLS, "tools-strict")),
    "far-planes-as-question-marks": ("context/text-comes-as-it-was-written", MADE),
    "seed-crashes": ("params/each-parameter-is-answered", ("with-seed", "seed", "same-words", "fuzz", "plain")),
    "top-p-zero-refused": ("params/each-parameter-is-answered", ("with-top-p", "with-top-p-zero", "sampling")),
    "top-p-next-to-zero-crashes": ("params/each-parameter-is-answered", ("with-top-p-zero", "sampling", "plain")),
    "charset-refused": ("http/json-with-a-charset-is-read", ("label-charset", "label-spelt", "label-text", "plain")),
    "charset-unread": ("http/json-with-a-charset-is-read", ("label-charset", "label-spelt", "label-form", "plain")),
    "stop-refused": ("params/each-parameter-is-answered", ("with-stop", *STOPS, "coded", "edge-of-context", "n")),
    "stream-options-refused": ("params/each-parameter-is-answered", ("with-stream-options", *OPTIONS)),
    "usage-of-zeros": ("chat/usage-adds-up", EACH),
    "prompt-counted-as-nothing": ("chat/usage-adds-up", (*EACH, *RESULTS, *SEVERAL)),
    "answer-counted-as-nothing": ("chat/usage-adds-up", (*EACH, *CAPS)),
    "answer-in-a-list": ("schema/answer-validates", (*PLAIN, "both-ways", "whole-run")),
    "answer-encoded-twice": ("schema/answer-validates", (*PLAIN, "both-ways", "whole-run")),
    "answers-of-no-model": ("models/answers-name-one-model", (*PLAIN, *STREAMS)),
    "streams-of-no-model": ("models/answers-name-one-model", (*PLAIN, *STREAMS)),
    "data-written-twice": ("sse/events-are-well-formed", (*STREAMS, "thought-stream", *STOPS, *CALLS)),
    "a-chunk-of-filters-first": ("schema/answer-validates", (*STREAMS, *CALLS)),
    "choices-at-one-index": ("params/n-gives-n-choices", ("n", "n-stream", "n-apart")),
    "choices-end-at-one-index": ("sse/one-finish-reason-per-choice", ("n", "n-stream", "n-apart")),
    "no-reason-for-a-natural-end": ("sse/one-finish-reason-per-choice", (*STREAMS, *STOPS, *CALLS)),
    "caps-ignored-in-streams": ("params/max-tokens-caps", (*CAPS, "tool-cut-stream", *STREAMS)),
    "stream-ends-otherwise": ("params/max-tokens-caps", (*CAPS, *CUT, *STREAMS)),
    "content-a-list": (
        "chat/content-is-string-or-null",
        (*PLAIN, "nulls", "structured-asked", "reasoning-asked", "adverse"),
    ),
    "keys-refused-in-a-word": ("auth/missing-key-is-a-401", ("authorizations", "guarded")),
    "answer-without-choices": ("chat/choices-are-indexed-and-from-the-assistant", (*PLAIN, "nulls")),
    "answer-without-message": ("chat/choices-are-indexed-and-from-the-assistant", (*PLAIN, "nulls")),
    "deltas-repeat-all": ("sse/deltas-are-deltas", (*STREAMS, "same-words")),
    "stop-read-letter-by-letter": ("params/stop-string-never-leaks-in-part", (*STOPS, "with-stop", "stop-none")),
    "temperature-above-one-refused": ("http/valid-request-is-answered", ("with-top-p-zero", "with-top-p", "sampling")),
    "choice-from-the-user": ("chat/choices-are-indexed-and-from-the-assistant", PLAIN),
    "answer-told-as-thought": ("chat/answers-hold-words", (*PLAIN, "whole-run", *MADE, "thought-off")),
    "answers-of-nothing": ("chat/answers-hold-words", (*PLAIN, "whole-run", *MADE, "both-ways", "nulls", "tool-none")),
    "failure-in-mid-stream": ("http/valid-request-is-answered", FAILING),
    "error-behind-the-end": ("http/valid-request-is-answered", FAILING),
    "done-in-the-last-event": ("sse/events-are-well-formed", (*STREAMS, *STOPS, "thought-stream", "crowd")),
    "done-as-json": ("sse/events-are-well-formed", (*STREAMS, *STOPS, "thought-stream", "crowd")),
    "stream-in-chunks-of-a-length": ("http/body-is-what-its-head-announces", (*STREAMS, "reuse")),
    "cap-met-a-token-late": ("chat/completion-tokens-keep-the-cap", (*PLAIN, "one-token", "crowd")),
    "options-hang": ("http/head-and-options-are-no-error", ("head-and-options", "preflight", "plain")),
    "streams-count-one-token": ("chat/completion-tokens-keep-the-cap", (*STREAMS, *CAPS)),
    "stop-takes-the-letter-before-it": ("params/each-of-four-stop-strings-ends-the-answer", STOPS),
    "finish-reason-in-each-piece": ("sse/one-finish-reason-per-choice", CALLS),
    "named-arguments-as-content": ("tools/named-function-is-called", CALLS),
    "calls-as-one-object": ("tools/required-calls", (*CALLS, "tools-parallel")),
    "streamed-arguments-lose-spaces": ("tools/streamed-call-is-the-plain-one", (*CALLS, "tools-strict")),
    "vectors-narrower-in-batches": ("embeddings/answer-has-its-shape", VECTORS),
    "thought-as-a-part-of-the-content": ("chat/content-is-string-or-null", THOUGHTS),
    "a-key-too-few": ("structured/keys-are-those-of-the-schema", KEYS),
    "a-key-too-many": ("structured/keys-are-those-of-the-schema", KEYS),
    "refusal-under-a-200": ("errors/error-object-has-its-shape", REFUSALS),
}
"""The rule that names each fault, and the scenarios that are sent."""


def _judged(fault: str, names: Iterable[str]) -> list[Judged]:
    """All cases of some scenarios on a server with a fault, with what hangs on what, as a run has them."""
    server = Memory((fault,))
    endpoint = known(server)
    asker = Asker(endpoint, PATIENCE_S, server, Asker(endpoint, PATIENCE_S, server.keyed()))
    plans: dict[str, tuple[Planned, Rule, Evidenced]] = {}
    for name in names:
        xs = asker.send(name, SCENARIOS[name])
        on = Evidenced(xs, {key: x.id for key, x in xs.items()}, expecting(endpoint, **SCENARIOS[name].settings))
        for rule in _rules(name):
            case = f"{rule.id}[{name}]@golden"
            plan = Planned(case=case, endpoint="golden", rule=rule.id, scenario=name, suite="conformance")
            plans[case] = plan, rule, on
    terms = Terms(Waivers((), datetime.date(2026, 1, 1)), strict=False, asked=frozenset(plans))
    first = {case: judge_case(plan, rule, on, terms, endpoint=None) for case, (plan, rule, on) in plans.items()}
    roots = {case for case, each in first.items() if each.outcome in FAILED and not each.because}
    failed = {case: each for case, each in first.items() if case in roots or each.because in roots}
    again = replace(terms, failed=failed)
    return [each if each.because else judge_case(*plans[case], again, endpoint=None) for case, each in first.items()]


def _rules(name: str) -> list[Rule]:
    """The rules on a scenario, but for the one that asks another SDK."""
    return [each for each in RULES.values() if each.applies(SCENARIOS[name]) and each.id != node.RULE]


@pytest.mark.parametrize("fault", ONE)
def test_one_fault_has_one_reason(fault: str):
    rule, names = ONE[fault]
    found = [each for each in _judged(fault, names) if each.outcome in BADLY and not each.because]
    assert {each.rule for each in found} == {rule}, [f"{e.case}: {e.findings[0]}" for e in found if e.rule != rule]
    assert {each.outcome for each in found} <= {Outcome.FAIL}
