"""Rules on calls that come in pieces, each with streams that are right and streams that are wrong."""

from tests.checks.calls import NAMED, OSLO, WHOLE, begun, call, calling, more, streamed
from tests.checks.specimens import breaks, found, holds

SHAPED = "tools/call-has-its-fields[*]"


def test_streamed_calls_carry_their_index():
    rule = "tools/streamed-calls-carry-their-index"
    breaks(rule, streamed(begun() | {"index": None}, more(OSLO)), "index", "None")
    breaks(rule, streamed({k: v for k, v in begun().items() if k != "index"}), "index", "no such key")
    breaks(rule, streamed(begun("0"), more(OSLO, "0")), "index", "0")
    breaks(rule, streamed(begun(1), more(OSLO, 1)), "index", "1")
    breaks(rule, streamed(begun(0, arguments=OSLO), begun(2, arguments=OSLO, called="call_2")), "index", "2")
    breaks(rule, streamed(*WHOLE, begun(called="call_2"), more('{"city": "Rome"}')), "arguments", "Rome")
    breaks(rule, streamed(begun(0), more(OSLO, 1)), "call 1, index", "Oslo")
    breaks(rule, streamed(begun(0), begun(1, arguments=OSLO)), "call 1, index", "Oslo")


def test_of_pieces_at_other_numbers_that_alone_is_told():
    (one,) = found("tools/call-has-its-fields", streamed(begun(0), more(OSLO, 1)))
    assert "tools/streamed-calls-carry-their-index" in one.causes


def test_id_and_name_of_a_streamed_call_come_once():
    rule = "tools/id-and-name-of-a-streamed-call-come-once"
    breaks(rule, streamed(begun(), more(OSLO, id="call_1")), "id", "2 times")
    breaks(rule, streamed(begun(), more(OSLO, id="call_2")), "id", "call_2")
    nameless = {"index": 0, "type": "function", "function": {"arguments": ""}}
    assert len(found(rule, streamed(nameless, begun(), more(OSLO)))) == 2
    breaks(rule, streamed(nameless | {"id": "call_1"}, {"index": 0, "function": {"name": "get_weather"}}), "name")
    holds(rule, [streamed(begun(), more(OSLO, id="")), streamed(begun(), more(OSLO, id=None))])
    again = {"index": 0, "function": {"name": "get_weather", "arguments": OSLO}}
    assert "get_weatherget_weather" in breaks(rule, streamed(begun(), again), "name", "2 times").consequence
    assert found("tools/call-has-its-fields", streamed(begun(), again)) == []
    assert found("tools/named-function-is-called", streamed(begun(), again, asked=NAMED)) == []
    texts = streamed(begun("0"), begun("1", called="call_2"))  # of two calls, whose numbers no reader of numbers sees
    assert breaks(rule, texts, "id", "2 times").causes == ("tools/streamed-calls-carry-their-index",)
    assert breaks(rule, streamed(begun(), more(OSLO, id="call_1")), "id").causes == ()


def test_streamed_arguments_join_to_an_object():
    rule = "tools/streamed-arguments-join-to-an-object"
    breaks(rule, streamed(begun(arguments={"city": "Oslo"})), "arguments", "dict")
    breaks(rule, streamed(begun(), more('{"city": "Oslo"')), "arguments", "Oslo")
    breaks(rule, streamed(begun()), "arguments", "none")
    assert breaks(rule, streamed(begun(arguments="{}"), more(OSLO)), "arguments", "{}{").causes == (SHAPED,)
    assert breaks(rule, streamed(begun(arguments="{'city': 'Oslo'}")), "arguments").causes == (SHAPED,)
    assert breaks(rule, streamed(begun(), more('{"city": "Os')), "arguments").causes == ()
    merged = streamed(*WHOLE, begun(called="call_2"), more('{"city": "Rome"}'))
    assert breaks(rule, merged, "arguments").causes == ("tools/streamed-calls-carry-their-index",)
    assert [f.kind for f in found(rule, streamed(begun(), more("{"), finish="length"))] == ["no-evidence"]


def test_no_piece_of_arguments_is_null():
    rule = "tools/no-piece-of-arguments-is-null"
    breaks(rule, streamed(begun(arguments=None), more(OSLO)), "piece 0", "null")
    left_out = begun() | {"function": {"name": "get_weather"}}
    holds(rule, [streamed(left_out, more(OSLO))])


def ways(plain_, again, streamed_):
    return {"plain": plain_, "again": again, "stream": streamed_}


def test_streamed_call_is_the_plain_one():
    rule, one = "tools/streamed-call-is-the-plain-one", calling(call(), asked=NAMED)
    other = calling(call(arguments='{"city": "Rome"}'), asked=NAMED)
    holds(rule, [ways(one, one, streamed(*WHOLE, asked=NAMED)), ways(one, one, streamed(begun(arguments=OSLO)))])
    breaks(rule, ways(one, one, streamed(begun(), more('{"city": "Rome"}'))), "stream", "Rome")
    breaks(rule, ways(one, one, streamed(*WHOLE, begun(1, name="ping", called="b", arguments="{}"))), "stream", "ping")
    assert [f.kind for f in found(rule, ways(one, other, streamed(*WHOLE)))] == ["no-evidence"]
    (none,) = found(rule, ways(one, one, streamed(content=["Hello."], asked=NAMED)))
    assert (none.kind, none.about) == ("no-evidence", "stream")
    assert "tools/named-function-is-called" in none.causes
    prefixed = calling(call("functions.get_weather"), asked=NAMED)
    strange = breaks(rule, ways(prefixed, prefixed, streamed(*WHOLE, asked=NAMED)), "stream")
    assert strange.causes == ("tools/call-has-its-fields",)
