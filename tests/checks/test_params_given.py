"""Rules on sampling, stop strings, and on what has to be accepted or refused whatever it says."""

import pytest

from seatrial.checks.catalogue import load_all
from seatrial.records import Outcome
from seatrial.verdict.outcomes import outcome
from tests.checks.specimens import (
    ASKED,
    COUNTED,
    EVENTS,
    breaks,
    choice,
    delta,
    ends,
    exchange,
    found,
    holds,
    pair,
    plain,
    refused,
    stream,
)

DONE = "[DONE]"


def said(text, finish="length", **asked):
    return plain({"choices": [choice(text, finish=finish)]}, asked=ASKED | asked)


def word(rule, findings):
    made = load_all()[rule]
    return outcome(made.level, findings, optional=made.optional)


def drawn(**texts):
    """Answers by the names of their requests; several of one name are numbered."""
    return {
        f"{name}-{n}": said(each)
        for name, given in texts.items()
        for n, each in enumerate(given if isinstance(given, list) else [given], 1)
    }


def choosing(*answers, asked=ASKED | {"n": 2}):
    """Answers by the names of their requests, each with the texts of its choices."""
    return {
        str(n): plain({"choices": [choice(text, at) for at, text in enumerate(texts)]}, asked=asked)
        for n, texts in enumerate(answers)
    }


def test_each_choice_is_drawn_by_itself():
    rule = "params/each-choice-is-drawn-by-itself"
    copies = [(text, text) for text in ("a", "b", "c", "d")]
    holds(rule, [choosing(*copies[:3], ("d", "e")), choosing(("a", "b"), *[("a", "a")] * 3)])
    finding = breaks(rule, choosing(*copies), "choices", "copies in each of 4")
    assert (word(rule, [finding]), finding.ignores) == (Outcome.FAIL, "n")
    for sure in (choosing(*[("a", "a")] * 4), choosing(*copies[:3], ("a", "a"))):
        (finding,) = found(rule, sure)
        assert (finding.kind, finding.causes) == ("no-evidence", ("params/high-temperature-varies[*]",))
    for few in (choosing(*copies[:3]), choosing(*[("a",)] * 4), choosing(*copies[:3], ("d", " "))):
        (finding,) = found(rule, few)
        assert (finding.kind, finding.causes) == ("no-evidence", ("params/n-gives-n-choices[*]",))
    declined = choosing(*copies) | {"0": refused(asked=ASKED | {"n": 2})}
    assert word(rule, found(rule, declined)) is Outcome.UNSUPPORTED


SOUND = {"greedy": ["a", "a", "a"], "hot": ["b", "c"], "narrow": ["a", "a"], "default": ["b", "a"]}


@pytest.mark.parametrize(
    ("rule", "bad", "got", "ignores"),
    [
        ("params/temperature-zero-repeats-itself", {"greedy": ["a", "b", "c"]}, "a | b", "temperature"),
        ("params/temperature-zero-repeats-itself", {"greedy": ["a", "b", "a"]}, "a | b", ""),
        ("params/high-temperature-varies", {"hot": ["a", "a"]}, "2 times", "temperature"),
        ("params/tiny-top-p-is-greedy", {"narrow": ["b", "c"]}, "b | c", "top_p"),
        ("params/answers-are-drawn-by-default", {"default": ["a", "a"]}, "2 times", ""),
    ],
)
def test_sampling(rule, bad, got, ignores):
    holds(rule, [drawn(**SOUND)])
    finding = breaks(rule, drawn(**SOUND | bad), "content", got)
    assert finding.ignores == ignores
    assert word(rule, [finding]) is Outcome.ADVISORY
    assert [f.kind for f in found(rule, drawn(greedy="", hot="", narrow="", default=""))] == ["no-evidence"]


@pytest.mark.parametrize("rule", ["params/tiny-top-p-is-greedy", "params/answers-are-drawn-by-default"])
def test_where_nothing_varies_nothing_is_told_of_the_rest(rule):
    flat = drawn(**{name: ["a"] * len(given) for name, given in SOUND.items()})
    [finding] = found(rule, flat)
    assert (finding.kind, finding.causes) == ("no-evidence", ("params/high-temperature-varies",))


SEEDS = {"same": ["a", "a", "a"], "other": "b", "free": ["c", "d"]}


def test_seed():
    rule = "params/seed-repeats-and-another-differs"
    holds(rule, [drawn(**SEEDS), drawn(**SEEDS | {"same": ["a", "e", "a"]})])
    ignored = breaks(rule, drawn(**SEEDS | {"same": ["a", "e", "f"]}), "content", "a | e")
    assert ignored.ignores == "seed"
    assert word(rule, [ignored]) is Outcome.FAIL
    assert breaks(rule, drawn(**SEEDS | {"other": "a"}), "content", "a | c").ignores == "seed"
    holds(rule, [drawn(**SEEDS, zero=["e", "e"]), drawn(**SEEDS | {"same": ["a", "e", "a"]}, zero=["e", "f"])])
    zero = breaks(rule, drawn(**SEEDS, zero=["e", "f"]), "content of seed 0", "e | f")
    assert word(rule, [zero]) is Outcome.ADVISORY
    assert [f.kind for f in found(rule, drawn(same=["a"] * 3, other="a", free=["a", "a"]))] == ["no-evidence"]
    assert word(rule, found(rule, drawn(**SEEDS) | {"same-1": refused()})) is Outcome.UNSUPPORTED


@pytest.mark.parametrize("rule", ["params/frequency-penalty-shows", "params/presence-penalty-shows"])
def test_penalties(rule):
    key = rule.partition("/")[2].partition("-")[0]
    holds(rule, [{"more": said("a b c"), "less": said("a a a")}, {"more": said("a b c"), "less": said("", "stop")}])
    assert breaks(rule, {"more": said("a"), "less": said("a")}, "content").ignores == f"{key}_penalty"
    assert [f.kind for f in found(rule, {"more": said(""), "less": said("")})] == ["no-evidence"]


def test_logit_bias_forces():
    rule = "params/logit-bias-forces"
    holds(rule, [{"free": said("The sea"), "one": said("xx"), "another": said("yy")}])
    ignored = breaks(rule, {"free": said("a"), "one": said("a"), "another": said("a")}, "content", "a")
    assert (ignored.ignores, word(rule, [ignored])) == ("logit_bias", Outcome.FAIL)
    half = breaks(rule, {"free": said("a"), "one": said("x"), "another": said("a")}, "content", "a")
    assert (half.about, half.ignores) == ("another", "")


FREE = "The sea is wide and deep."


def stopped(text, finish="stop", stop="is wide"):
    events = [delta(role="assistant", content=""), delta(content=text), ends(finish), DONE]
    return {
        "free": said(FREE, "stop"),
        "four": said(text, finish, stop=["\u241e", stop]),
        "stream": stream(*events, asked=COUNTED | {"stop": stop}),
    }


RULES = ["params/each-of-four-stop-strings-ends-the-answer", "params/stop-string-never-leaks-in-part"]


@pytest.mark.parametrize("rule", RULES)
def test_stop_strings(rule):
    holds(rule, [stopped("The sea "), stopped("The sea")])
    assert breaks(rule, stopped(FREE), "content", FREE).ignores == "stop"
    assert not breaks(rule, stopped("The sea is wide"), "content").ignores
    breaks(rule, stopped("The sea is w"), "content", "is w")
    lost = breaks(rule, stopped("The"), "content", "The")
    assert (f"{RULES[0]}[*]" in lost.causes) == (rule != RULES[0])
    assert breaks(rule, stopped("The sea  and"), "content", "The sea  and").grave
    breaks(rule, stopped("The sea ", "length"), "finish_reason", "length")
    for unseen in (stopped("A ship"), stopped("The sea", stop="nobody"), {"free": said(FREE)}):
        assert [f.kind for f in found(rule, unseen)] == ["no-evidence"]


def test_stop_string_of_any_script_ends_the_answer():
    rule = "params/stop-string-of-any-script-ends-the-answer"

    def asked(text, finish="stop", free="日本語 🎉 naïve", stop=("語", "🎉", "ï")):
        events = [delta(role="assistant", content=""), delta(content=text), ends(finish), DONE]
        streamed = stream(*events, asked=COUNTED | {"stop": list(stop)})
        plain = said(text, finish, stop=list(stop))
        both = {"free": said(free, "stop"), "script": plain, "script-stream": streamed}
        return both | {"said-free": said("1. 2. 3.", "stop"), "said": said("1. 2. 3.", "stop", stop=list(stop))}

    holds(rule, [asked("日本"), asked("na", free="naïve"), asked("", free="🎉")])
    ignored = breaks(rule, asked("日本語 🎉 naïve"), "script: content", "日本語")
    assert (ignored.ignores, word(rule, [ignored])) == ("stop", Outcome.FAIL)
    breaks(rule, asked("日本", "length"), "script: finish_reason", "length")
    breaks(rule, asked("日"), "script: content", "日")
    assert {f.kind for f in found(rule, asked("Nippon", free="Nippon"))} == {"no-evidence"}
    spelt = asked("Nippon", free="Nippon") | {"said-free": said("日本語", "stop")}
    holds(rule, [spelt | {"said": said("日本", "stop", stop=["語"])}])
    breaks(rule, spelt | {"said": said("日本語", "stop", stop=["語"])}, "said: content", "日本語")


def test_empty_stop_stops_nothing():
    rule = "params/empty-stop-stops-nothing"
    whole = {"free": said("Hello."), "null": said("Hello.", stop=None)}
    holds(rule, [whole | {"empty": said("Hello.", stop="")}, whole | {"empty": refused()}])
    breaks(rule, whole | {"empty": said("", "stop", stop="")}, "empty: content", "none")
    breaks(rule, whole | {"empty": refused(500)}, "empty: the status", "500")
    assert [f.kind for f in found(rule, {"free": said(""), "empty": said("", stop="")})] == ["no-evidence"]


def test_stop_string_in_thought_ends_nothing():
    rule = "params/stop-string-in-thought-ends-nothing"

    def thinks(thought, content, **asked):
        message = {"role": "assistant", "content": content, "reasoning_content": thought}
        return {"only": plain({"choices": [choice(message=message)]}, asked=ASKED | {"stop": [" the"], **asked})}

    holds(rule, [thinks("What is the sum?", "42")])
    breaks(rule, thinks("What is", None), "content", "7 characters of thought")
    assert [f.kind for f in found(rule, thinks("Sums.", "42"))] == ["no-evidence"]
    free = {"free": thinks("Of the sum.", " the sum is 42.", stop=None)["only"]}
    assert [f.kind for f in found(rule, free | thinks("What is", None))] == ["no-evidence"]  # the answer begins so
    breaks(rule, free | thinks("What is", None, stop=["f the"]), "content", "7 characters of thought")


@pytest.mark.parametrize(
    "rule",
    [
        "params/five-stop-strings-are-refused",
        "params/numbers-out-of-range-are-refused",
        "params/top-logprobs-need-logprobs",
        "params/what-is-no-number-is-refused",
    ],
)
def test_what_cannot_be_meant_is_refused(rule):
    holds(rule, [pair(refused())])
    breaks(rule, pair(plain()), "the status", "200")
    hung = found(rule, pair(refused(status=None, error="idle", detail="no byte in 15 s")))
    assert word(rule, hung) is Outcome.FAIL


def test_stray_stream_options_do_no_harm():
    rule = "params/stray-stream-options-do-no-harm"
    asked = ASKED | {"stream_options": {"include_usage": True}}
    holds(rule, [plain(asked=asked), refused(asked=asked)])
    breaks(rule, refused(500, asked=asked), "the status", "500")
    breaks(rule, exchange(b"data: {}\n\n", asked=asked, headers=EVENTS), "the answer", "text/event-stream")


def listed(*entries, asked=2):
    made = [{"token": t, "logprob": p, "bytes": None, "top_logprobs": [*map(top, tops)]} for t, p, tops in entries]
    text = "".join(token for token, _, _ in entries)
    body = {"choices": [choice(text, logprobs={"content": made})]}
    return plain(body, asked=ASKED | {"logprobs": True, "top_logprobs": asked, "temperature": 0})


def top(pair_):
    return {"token": pair_[0], "logprob": pair_[1], "bytes": None}


def test_as_many_alternatives_as_asked():
    rule = "params/as-many-alternatives-as-asked"
    holds(rule, [listed(("a", -0.1, [("a", -0.1), ("b", -3)]), ("z", -9, [("a", -0.1), ("b", -3)]))])
    none = breaks(rule, listed(("a", -0.1, [])), "content[0].top_logprobs", "none")
    assert (none.ignores, none.grave) == ("top_logprobs", True)
    breaks(rule, listed(("a", -0.1, [("a", -0.1)])), "content[0]", "1")
    breaks(rule, listed(("a", -0.1, [("b", -3), ("a", -0.1)])), "content[0]", "-3")
    assert breaks(rule, listed(("a", -0.1, [("c", -0.2), ("b", -3)])), "content[0]", "c").causes == ()
    textless = breaks(rule, listed(("", -0.1, [("a", -0.1), ("b", -3)])), "content[0]", "a")
    assert textless.causes == ("params/logprobs-are-given",)
    nothing = breaks(rule, plain(asked=ASKED | {"logprobs": True, "top_logprobs": 2}), "logprobs", "none")
    assert (nothing.ignores, nothing.causes) == ("top_logprobs", ("params/logprobs-are-given",))


def test_probabilities_are_probabilities():
    rule = "params/probabilities-are-probabilities"
    holds(rule, [listed(("a", -0.1, [("a", -0.1), ("b", -3)]))])
    breaks(rule, listed(("a", -0.1, [("a", -0.1), ("b", -0.2)])), "content[0]", "1.7")
    breaks(rule, listed(("z", -2, [("a", -0.2), ("z", -2)])), "content[0]", "'z' at -2")
    assert [f.kind for f in found(rule, listed(("a", -0.1, [])))] == ["no-evidence"]


def test_labels_are_accepted():
    rule = "params/labels-are-accepted"
    whole = {"labels": refused(), "labels:user": plain(), "labels:store": refused()}
    holds(rule, [{"labels": plain()}])
    assert breaks(rule, whole, "store: the status", "400").about == "labels:store"
    breaks(rule, {"labels": refused(), "labels:user": plain()}, "labels, all together", "400")


def hidden():
    """An answer that its cap cut in its thought, which is counted and not shown, as of OpenAI's own models."""
    usage = {"completion_tokens": 16, "completion_tokens_details": {"reasoning_tokens": 16}}
    return plain({"choices": [choice("", finish="length")], "usage": usage}, asked=ASKED)


def test_null_means_the_default():
    rule = "params/null-means-the-default"
    holds(rule, [{"nulls": plain()}])
    breaks(rule, {"nulls": refused(), "nulls:stop": refused(), "nulls:n": plain()}, "stop: the status", "400")
    breaks(rule, {"nulls": stream()}, "the answer", "text/event-stream")
    breaks(rule, {"nulls": plain({"choices": []})}, "choices", "[]")
    breaks(rule, {"nulls": plain({"choices": [choice(logprobs={"content": [{"token": "a"}]})]})}, "logprobs")
    breaks(rule, {"nulls": said("", "stop")}, "content", "none")
    assert [f.kind for f in found(rule, {"nulls": hidden()})] == ["no-evidence"]
    assert [f.kind for f in found(rule, {"nulls": exchange(b"<html>")})] == ["no-evidence"]


def test_unknown_parameters_are_treated_alike():
    rule = "params/unknown-parameters-are-treated-alike"
    named = {"error": {"message": "unknown parameter: seatrial_unknown_parameter"}}
    holds(
        rule,
        [
            {"plain": plain(), "stream": stream(), "vectors": refused(404)},
            {"plain": refused(body=named), "stream": refused(body=named), "vectors": refused(body=named)},
        ],
    )
    breaks(rule, {"plain": plain(), "stream": refused(body=named)}, "the status", "stream: refused")
    breaks(rule, {"plain": plain(), "stream": stream(), "vectors": refused(body=named)}, "the status", "vectors")
    breaks(rule, {"plain": refused(500), "stream": refused(500)}, "the status", "a 5xx")
    assert [f.kind for f in found(rule, {"plain": plain()})] == ["no-evidence"]


def test_text_format_changes_nothing():
    rule = "params/text-format-changes-nothing"
    holds(rule, [{"without": said("Hi."), "with": said("Ho.")}, {"without": said("{}"), "with": said("{}")}])
    breaks(rule, {"without": said("Hi."), "with": refused()}, "with: the status", "400")
    breaks(rule, {"without": said("Hi."), "with": said("")}, "with: content", "none")
    breaks(rule, {"without": said("Hi."), "with": said('{"a": 1}')}, "with: content", "{")
    assert [f.kind for f in found(rule, {"without": said(""), "with": said("")})] == ["no-evidence"]


def test_each_effort_is_taken_or_refused():
    rule = "params/each-effort-is-taken-or-refused"
    holds(rule, [{"low": plain(), "max": refused()}])
    breaks(rule, {"low": plain(), "max": refused(500)}, "max: the status", "500")


def test_effort_none_thinks_less():
    rule = "params/effort-none-thinks-less"

    def thinks(high, none, able="Let me see."):
        held = {"high": high, "none": none, "able": able}
        return {
            name: plain({"choices": [choice(message={"role": "assistant", "content": "4", "reasoning": thought})]})
            for name, thought in held.items()
        }

    holds(rule, [thinks("Let me see.", ""), thinks("Let me see.", "Hm.")])
    assert breaks(rule, thinks("", ""), "high: the thought").ignores == "reasoning_effort"
    assert breaks(rule, thinks("Hm.", "Let me see."), "none: the thought", "11 characters").about == "none"
    for unseen in ({"high": plain()}, thinks("", "", "")):
        assert [f.kind for f in found(rule, unseen)] == ["no-evidence"]


def test_verbosity_shows():
    rule = "params/verbosity-shows"
    told = {"usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}}
    holds(rule, [{"low": said("Hi."), "high": said("Hi there.")}, {"low": plain(), "high": plain(told)}])
    assert breaks(rule, {"low": said("Hi."), "high": said("Hi.")}, "content", "Hi.").ignores == "verbosity"
    assert [f.kind for f in found(rule, {"low": said(""), "high": said("")})] == ["no-evidence"]


@pytest.mark.parametrize(
    ("rule", "shown", "ignores"),
    [
        ("params/audio-is-given-or-refused", {"audio": {"id": "a"}}, "audio"),
        ("params/search-is-made-or-refused", {"annotations": [{"type": "url_citation"}]}, "web_search_options"),
    ],
)
def test_what_is_asked_for_is_there_or_refused(rule, shown, ignores):
    holds(rule, [plain({"choices": [choice(message={"role": "assistant", "content": "Hi.", **shown})]})])
    assert breaks(rule, plain(), "message").ignores == ignores
    assert word(rule, found(rule, refused())) is Outcome.UNSUPPORTED
    assert [f.kind for f in found(rule, plain({"choices": []}))] == ["no-evidence"]


def test_moderation_is_told_or_refused():
    rule = "params/moderation-is-told-or-refused"
    holds(rule, [plain({"moderation": {"input": {}}})])
    assert breaks(rule, plain(), "moderation").ignores == "moderation"
    assert word(rule, found(rule, refused())) is Outcome.UNSUPPORTED


def test_prediction_does_no_harm():
    rule = "params/prediction-does-no-harm"
    holds(rule, [plain(), refused()])
    breaks(rule, refused(500), "the answer", "500")
    breaks(rule, said(""), "the answer", "no text")
    assert [f.kind for f in found(rule, hidden())] == ["no-evidence"]
