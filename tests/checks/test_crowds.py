"""Waves of requests: how many leave, which come again, and who of them was kept waiting."""

from msgspec.structs import replace

from seatrial.checks import crowds, traits
from seatrial.records import SECOND, Leaving, Request, Scenario, Wave, Width
from tests.checks.specimens import delta, ends, stream

STAYS, LEAVES = Request(body={}), Request(body={}, leaves=Leaving.WORDS)
LEAVING = Scenario(
    requests={"before": STAYS, "leaver": LEAVES, "after": STAYS, "queued": LEAVES},
    traits=traits.NONE,
    waves=(
        Wave(of=("before",)),
        Wave(of=("leaver",), width=Width.SPARE, later=("queued",)),
        Wave(of=("after",)),
        Wave(of=("after",), if_kept=True, after_s=2.0),
    ),
)


def said(sent: float, word: float, end: float):
    """A stream whose first word and end came at these seconds."""
    told = stream(delta(content="one"), delta(content="two"), ends(), "[DONE]")
    chunks = [replace(chunk, at=int(at * SECOND)) for chunk, at in zip(told.chunks, (word, end, end, end), strict=True)]
    return replace(told, chunks=tuple(chunks), sent_at=int(sent * SECOND), ended_at=int(end * SECOND))


def sent(scenario: Scenario, slots: int | None, **answers):
    """The names of each wave, where every request is answered as ``answers`` says by its role, else at once."""
    got, told = {}, []
    for wave in crowds.waves(scenario, slots, got):
        told.append(list(wave))
        got.update({name: answers.get(crowds.role_of(name), [said(0, 1, 2)])[-1] for name in wave})
    return told


def test_a_wave_is_as_wide_as_the_endpoint():
    assert sent(LEAVING, 3) == [
        ["before-1.1", "before-1.2", "before-1.3"],
        ["leaver-2.1", "leaver-2.2", "queued-2.3"],
        ["after-3.1", "after-3.2", "after-3.3"],
    ]
    assert [len(wave) for wave in sent(LEAVING, None)] == [4, 4, 4]
    assert [len(wave) for wave in sent(LEAVING, 1)] == [1, 2, 1]
    assert [len(wave) for wave in sent(LEAVING, 1000)] == [32, 33, 32]
    assert crowds.size(LEAVING) == 12
    assert crowds.size(Scenario(requests={"only": STAYS}, traits=traits.NONE)) == 1


def test_a_wave_comes_once_more_where_some_were_kept_waiting():
    assert [wave[0] for wave in sent(LEAVING, 2, after=[said(0, 20, 21)])][-1] == "after-4.1"
    assert crowds.pause(LEAVING, {"after-4.1": STAYS}) == 2.0
    assert crowds.is_later(LEAVING, "queued-2.3")
    assert not crowds.is_later(LEAVING, "leaver-2.1")


def test_waves_after_the_first_come_again_until_enough_have_left():
    often = replace(LEAVING, enough=5)
    assert [wave[0] for wave in sent(often, 3)] == ["before-1.1", "leaver-2.1", "after-3.1", "leaver-5.1", "after-6.1"]
    echoes = Scenario(requests={"echo": STAYS}, traits=traits.NONE, waves=(Wave(of=("echo",)),), enough=9)
    assert [len(wave) for wave in sent(echoes, 4)] == [4, 4, 4]


def test_who_is_overtaken_by_a_whole_answer_was_kept_waiting():
    together = [said(0, 1, 3), said(0, 1.2, 3.2), said(0.1, 2.9, 5)]
    assert crowds.kept(together, together) == 0
    behind = [said(0, 1, 3), said(0, 3.1, 5), said(0, 5.1, 7)]
    assert crowds.kept(behind, together) == 2
    assert crowds.kept([said(0, 1, 3), said(2, 3.5, 5)], together) == 0  # it was sent when the other had spoken
    assert crowds.kept([], together) == crowds.kept(together, []) == 0


def test_where_all_wait_time_tells():
    first = [said(0, 0.2, 1.2)]
    assert crowds.kept([said(10, 12.3, 13)], first) == 0
    assert crowds.kept([said(10, 12.5, 13)], first) == 1
    assert not crowds.waited_long([said(10, 16.1, 17)], first)
    assert crowds.waited_long([said(10, 16.3, 17)], first)
    silent = replace(stream(), chunks=(), sent_at=0, ended_at=60 * SECOND)
    assert crowds.waited_long([silent], first)
