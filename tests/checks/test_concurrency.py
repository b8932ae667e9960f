"""Rules on company: isolation, queues, and clients that leave."""

import json

import pytest
from msgspec.structs import replace

from seatrial.checks.areas.concurrency import parts
from seatrial.checks.catalogue import load_all
from seatrial.checks.running import run
from seatrial.reading import marks
from seatrial.records import LEFT, SECOND, Outcome
from seatrial.statistics.rates import smallest
from seatrial.verdict.outcomes import outcome
from tests.checks.specimens import ASKED, STREAMED, breaks, choice, delta, ends, exchange, found, holds, plain, stream
from tests.golden.memory import Memory
from tests.silence.asking import Asker
from tests.silence.tables import SCENARIOS
from tests.silence.trial import PATIENCE_S, expecting, known

ONE, TWO = marks.made("", "one"), marks.made("", "two")
APART = "concurrency/no-answer-holds-anothers-secret"
BEFORE = "concurrency/no-answer-holds-what-came-before-it"
SCHEMAS = "concurrency/schemas-stay-with-their-request"
SAMPLING = "concurrency/sampling-stays-with-its-request"
LINE = "concurrency/more-requests-than-slots-wait-in-line"
EACH = "concurrency/what-holds-of-one-answer-holds-of-each"
LEAVES = "concurrency/client-that-leaves-a-stream-frees-its-slot"
OTHERWISE = "concurrency/client-that-leaves-otherwise-frees-its-slot"
DROPPED = "concurrency/dropped-connections-leave-nothing-behind"
COUNTED = "concurrency/usage-adds-up-to-the-servers-own-count"


def verdict(name, findings):
    rule = load_all()[name]
    return outcome(rule.level, findings, optional=rule.optional)


def says(mark, answer, **settings):
    """A request with a mark, answered so."""
    asked = ASKED | {"messages": [{"role": "user", "content": f"Repeat: {mark}"}]}
    return plain({"choices": [choice(answer)]}, asked=asked, **settings)


def streams(mark, *pieces):
    asked = STREAMED | {"messages": [{"role": "user", "content": f"Repeat: {mark}"}]}
    return stream(delta(role="assistant"), *(delta(content=piece) for piece in pieces), ends(), "[DONE]", asked=asked)


def kinds(name, evidence):
    return [finding.kind for finding in found(name, evidence)]


def test_no_answer_holds_anothers_secret():
    good = {"echo-1.1": says(ONE, ONE), "echo-1.2": says(TWO, "I do not repeat."), "echo-1.3": streams(TWO, TWO)}
    holds(APART, [good, {"echo-1.1": says(ONE, ONE.upper()[:3] + ONE[3:])}])
    half = TWO.partition("-")[2]
    breaks(APART, {"echo-1.1": says(ONE, TWO), "echo-1.2": says(TWO, TWO)}, "echo-1.1: the answer", half)
    cut = breaks(APART, good | {"echo-1.4": streams(ONE, half[:4], half[4:])}, "echo-1.4: the answer", half)
    assert cut.about == "echo-1.4"
    called = {"tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": f'"{TWO}"'}}]}
    message = {"role": "assistant", "content": None, **called}
    body = plain({"choices": [choice(None, message=message)]}, asked=json.loads(says(ONE, "").request_body))
    breaks(APART, good | {"echo-1.4": body}, "echo-1.4: the answer", half)


def test_where_no_answer_shows_whose_it_is_nothing_is_told():
    mute = {"echo-1.1": says(ONE, "I am a fish."), "echo-1.2": says(TWO, "")}
    for name in (APART, BEFORE):
        assert kinds(name, mute) == ["no-evidence"]
    (none,) = found(APART, {"echo-1.1": says(ONE, "", status=500)})
    assert none.causes == ("http/valid-request-is-answered[*]",)
    assert parts.seen(mute) == {"answers that show whose they are": "0 of 2"}


def test_the_figure_says_how_rare_a_crossed_answer_may_be():
    told = {f"echo-1.{n}": says(mark, mark) for n, mark in enumerate((ONE, TWO))}
    assert parts.seen(told) == {
        "answers that show whose they are": "2 of 2",
        "found in 95 of 100 runs": "one crossed in 1.3",
    }
    assert 1 - (1 - smallest(59)) ** 59 == pytest.approx(0.95)
    assert smallest(59) < 0.05 < smallest(58)
    for wrong in ((0, 0.95), (5, 1.0), (5, 0.0)):
        with pytest.raises(ValueError, match="no rate is found"):
            smallest(*wrong)


def test_no_answer_holds_what_came_before_it():
    first, later = {"first-1.1": says(ONE, ONE)}, {"second-3.1": says(TWO, TWO)}
    holds(BEFORE, [first | later, first | {"second-3.1": says(ONE, ONE)}])
    crossed = breaks(BEFORE, first | {"second-3.1": says(TWO, f"{ONE} {TWO}")}, "second-3.1", "2 waves before")
    assert crossed.causes == (APART + "[*]",)
    breaks(BEFORE, later | {"first-3.2": says(ONE, TWO)}, "first-3.2", "at the same time")
    assert kinds(BEFORE, first) == ["no-evidence"]  # nothing came behind it


def bound(mark, answer, **settings):
    schema = {"type": "object", "properties": {"word": {"enum": [mark]}}, "required": ["word"]}
    form = {"type": "json_schema", "json_schema": {"name": "word", "schema": schema}}
    return plain({"choices": [choice(answer, **settings)]}, asked=ASKED | {"response_format": form})


def test_schemas_stay_with_their_request():
    mine, free = bound(ONE, json.dumps({"word": ONE})), plain()
    other = bound(TWO, json.dumps({"word": TWO}, indent=1))
    holds(SCHEMAS, [{"bound-1.1": mine, "bound-1.2": other, "free-1.3": free}])
    holds(SCHEMAS, [{"bound-1.1": mine, "bound-1.2": bound(TWO, '{"wor', finish="length")}])
    leaked = plain({"choices": [choice(json.dumps({"word": ONE}))]})
    breaks(SCHEMAS, {"bound-1.1": mine, "free-1.2": leaked}, "free-1.2", "was given none")
    taken = bound(TWO, json.dumps({"word": ONE}))
    breaks(SCHEMAS, {"bound-1.1": mine, "bound-1.2": taken}, "bound-1.2", "of another")
    loose = breaks(SCHEMAS, {"bound-1.1": mine, "bound-1.2": bound(TWO, "Of course!")}, "bound-1.2: content")
    assert loose.causes == ("structured/answer-validates[*]", APART + "[*]")
    breaks(SCHEMAS, {"bound-1.1": mine, "bound-1.2": bound(TWO, "[5]")}, "bound-1.2: content", "[5]")


def capped(text, cap, told):
    usage = {"prompt_tokens": 5, "completion_tokens": told, "total_tokens": 5 + told}
    return plain({"choices": [choice(text)], "usage": usage}, asked=ASKED | {"max_tokens": cap})


def test_sampling_stays_with_its_request():
    cold = capped("Hello there, you all.", 8, 8)
    alone = {"cold-1.1": cold, "cold-2.1": cold}
    noisy = capped("Hullo there", 8, 3)
    holds(SAMPLING, [alone | {"hot-3.1": capped("x", 5, 5), "cold-3.2": cold, "cold-3.3": noisy}])
    long = breaks(SAMPLING, alone | {"hot-3.1": capped("x", 5, 8), "cold-3.2": cold}, "hot-3.1: tokens", "8")
    assert long.causes
    breaks(SAMPLING, alone | {"cold-3.2": noisy, "cold-3.3": noisy}, "cold-3.2: content", "Hullo")
    drawn = found(SAMPLING, {"cold-1.1": cold, "cold-2.1": noisy, "cold-3.1": cold})
    assert verdict(SAMPLING, drawn) is Outcome.UNSUPPORTED
    assert kinds(SAMPLING, alone) == ["no-evidence"]


def test_more_requests_than_slots_wait_in_line():
    busy, refused = plain(status=503), plain(status=400)
    holds(LINE, [{"a-1.1": plain(), "a-1.2": busy, "a-1.3": plain(status=429), "a-1.4": refused}])
    broken = breaks(LINE, {"a-1.1": plain(), "a-1.2": plain(status=500)}, "a-1.2: the status, of 2", "500")
    assert "context/each-request-of-a-crowd-has-its-answer[*]" in broken.causes
    cut = plain(error="cut", detail="closed in mid-answer")
    breaks(LINE, {"a-1.1": plain(), "a-1.2": cut}, "a-1.2: the answer")
    late = exchange(b"", status=None, error="deadline", detail="the total deadline passed")
    late = replace(late, sent_at=3 * SECOND, ended_at=123 * SECOND)
    assert verdict(LINE, found(LINE, {"a-1.1": plain(), "a-1.2": late})) is Outcome.FAIL
    slow = replace(late, sent_at=0, ended_at=120 * SECOND)
    assert kinds(LINE, {"a-1.1": at(0, 80, 100), "a-1.2": slow}) == ["no-evidence"]  # our own line, and it moved
    assert kinds(LINE, {"a-1.1": at(0, 1, 60), "a-1.2": slow}) == ["violation"]
    assert kinds(LINE, {"a-1.1": busy}) == ["no-evidence"]


def test_what_holds_of_one_answer_holds_of_each():
    endless = stream(delta(role="assistant", content="a"), "[DONE]")
    holds(EACH, [{"a-1.1": plain(), "a-1.2": stream(), "a-1.3": stream()}])
    holds(EACH, [{"a-1.1": endless, "a-1.2": endless}])  # always: the rule itself says so
    some = breaks(EACH, {"a-1.1": stream(), "a-1.2": endless}, "a-1.2", "1 of 2 answers, a rate of 9% to 91%")
    assert some.causes[0] == "sse/one-finish-reason-per-choice[*]"
    assert kinds(EACH, {"a-1.1": plain(status=500)}) == ["no-evidence"]
    figures = load_all()[EACH].figures
    assert figures is not None
    assert figures({"a-1.1": plain()}, None)["judged"].startswith("1 answers by ")


def at(sent, word, end, error="", finish="stop"):
    """A stream whose first word and end came at these seconds."""
    told = stream(delta(content="one"), delta(content="two"), ends(finish), "[DONE]")
    chunks = [
        replace(chunk, at=int(when * SECOND)) for chunk, when in zip(told.chunks, (word, end, end, end), strict=True)
    ]
    return replace(
        told, chunks=tuple(chunks), sent_at=int(sent * SECOND), ended_at=int(end * SECOND), error=error, detail=error
    )


def wave(role, number, *answers):
    return {f"{role}-{number}.{n}": x for n, x in enumerate(answers, 1)}


ALONE = wave("before", 1, at(0, 0.2, 1.2), at(0, 0.3, 1.3))
SERVED = wave("after", 3, at(5, 5.2, 6.2), at(5, 5.3, 6.3))
KEPT = wave("after", 3, at(5, 5.2, 6.2), at(5, 6.3, 7.3))
AGAIN = wave("later", 4, at(9, 9.2, 10.2), at(9, 10.3, 11.3))
THEN = wave("later", 4, at(9, 9.2, 10.2), at(9, 9.3, 10.3))
GONE = at(3, 3.2, 3.4, error=LEFT)


@pytest.mark.parametrize(("name", "role"), [(LEAVES, "leaver"), (OTHERWISE, "plain"), (OTHERWISE, "queued")])
def test_who_leaves_frees_his_slot(name, role):
    left = ALONE | wave(role, 2, GONE)
    holds(name, [left | SERVED, left | KEPT | THEN])
    broken = breaks(name, left | KEPT | AGAIN, "after-3.2: its first word, after 1 clients left", "1 of 2 were kept")
    assert broken.causes == ((LEAVES,) if name == OTHERWISE else ())
    all_wait = wave("after", 3, at(5, 12, 13), at(5, 12.1, 13.1))
    breaks(name, left | all_wait | THEN, "after-3.2", "the longest for 7.1 s")
    whole = at(3, 3.2, 3.4, finish="length")
    holds(name, [ALONE | wave(role, 2, whole) | SERVED])  # so fast that nobody could leave before the cap
    for nothing in (ALONE | SERVED, ALONE | wave(role, 2, at(3, 3.2, 3.4)) | SERVED, wave(role, 2, GONE) | SERVED):
        assert kinds(name, nothing) == ["no-evidence"]


def test_a_server_of_one_slot_is_held_against_itself():
    """Four at once to one slot: three wait, before and after; that is our own line."""
    line = [at(0, n + 0.1, n + 1) for n in range(4)]
    after = [at(20, 20 + n + 0.1, 20 + n + 1) for n in range(4)]
    holds(LEAVES, [wave("before", 1, *line) | wave("leaver", 2, GONE) | wave("after", 3, *after)])


def test_dropped_connections_leave_nothing_behind():
    gone = plain(error=LEFT)
    drops = wave("open", 2, gone) | wave("sent", 2, gone)
    good = {"good-1.1": plain()}
    holds(DROPPED, [good | drops | {"good-3.1": plain()}])
    breaks(DROPPED, good | drops | {"good-3.1": plain(status=500)}, "good-3.1: the status, after 2 dropped", "500")
    for nothing in (
        good | drops,
        {"good-1.1": plain(status=500)} | drops | {"good-3.1": plain()},
        good | {"good-3.1": plain()},
    ):
        assert kinds(DROPPED, nothing) == ["no-evidence"]


def page(text):
    return exchange(text.encode(), headers={"content-type": "text/plain"})


def test_usage_adds_up_to_the_servers_own_count():
    before, after = page('x:tokens_total{a="}"} 7\nx:tokens_total{a="b"} 1\nother 5\n'), page("x:tokens_total 1.2e1\n")
    two = {"chat-2.1": capped("a", 5, 3), "chat-2.2": capped("a", 5, 1)}
    holds(COUNTED, [{"counters-1.1": before} | two | {"counters-3.1": after}])
    breaks(COUNTED, {"counters-1.1": before} | two | {"counters-3.1": before}, "the counters", "x:tokens_total 0")
    bare = {"counters-1.1": page("")} | two | {"counters-3.1": page("# none")}
    assert verdict(COUNTED, found(COUNTED, bare)) is Outcome.UNSUPPORTED
    silent = {"counters-1.1": before, "chat-2.1": plain({"usage": None}), "counters-3.1": after}
    assert kinds(COUNTED, silent) == ["no-evidence"]


@pytest.mark.parametrize(("slots", "told"), [(1, True), (1, False), (3, False), (5, True)])
@pytest.mark.parametrize("fault", ["", "stream-is-made-for-nobody", "plain-is-made-for-nobody"])
def test_a_server_of_any_slots_is_asked_what_it_can_be_asked(slots, told, fault):
    """Also of one that does not say how many it has; what is kept for nobody shows there too."""
    server = Memory((fault,) if fault else (), slots=slots)
    endpoint = replace(known(server), slots=slots if told else None)
    asker = Asker(endpoint, PATIENCE_S, server)
    outcomes = {}
    for name in ("crowd", "bound-beside-free", "same-beginning", "leaving"):
        scenario = SCENARIOS[name]
        xs = asker.send(name, scenario)
        for rule in load_all().values():
            if rule.area == "concurrency" and rule.applies(scenario):
                findings, crash = run(rule, xs, expecting(endpoint))
                outcomes[rule.id] = outcome(rule.level, findings, optional=rule.optional, crashed=crash)
    wrong = {"stream-is-made-for-nobody": {LEAVES}, "plain-is-made-for-nobody": {OTHERWISE}}.get(fault, set())
    bad = {name for name, word in outcomes.items() if word is not Outcome.PASS}
    assert wrong <= bad <= wrong | ({OTHERWISE} if wrong else set())
