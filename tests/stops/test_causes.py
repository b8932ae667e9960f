"""Causes by kernel and log together, hypotheses in their order, and what a log alone may not do."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from seatrial.records import Clock, Event, Gpu, Log, Stop
from seatrial.stops import fold
from tests.stops.simulation import S, World
from tests.stops.simulation_family import GIB, Tree

SEEDS = range(30)
ABORT = 0x80 | 6
ASSERT = "GGML_ASSERT(n_ctx > 0) failed"
CUDA = "CUDA error: an illegal memory access was encountered"
ALLOC = ("terminate called after throwing an instance of 'std::bad_alloc'", "  what():  std::bad_alloc")


def one(world: World) -> Stop:
    found = fold.fold(world.seal())
    assert len(found) == 1, [(s.family, s.kind, s.evidence) for s in found]
    return found[0]


def limited(seed: int, share: float) -> Tree:
    world = Tree(seed, **{"limit of address space": str(2 * GIB)})
    world.size, world.size_limit = int(share * 2 * GIB), 2 * GIB
    return world


def filling(seed: int, share: float, *, held_s: float = 2.2) -> Tree:
    """Its address space grows to a share of its limit, and stays there for some seconds."""
    world = limited(seed, 0.91)
    world.run_for(8)
    world.size = int(share * 2 * GIB)
    world.run_for(held_s)
    return world


def test_a_limit_that_was_reached_is_named_by_the_kernel_alone():
    for seed in SEEDS:
        stop = one(filling(seed, 0.99).die(ABORT).run_for(5))
        assert stop.cause == "its address-space limit was reached"
        assert (
            "address space 1.98 GiB of a limit of 2.00 GiB at the last look (99 %: the limit reached)" in stop.evidence
        )
        assert "bad_alloc" not in stop.cause


def test_one_that_is_full_cannot_grow_and_has_reached_its_limit():
    """As where the limit was set to what a running server had already taken."""
    for seed in SEEDS:
        stop = one(limited(seed, 0.999).run_for(8).die(ABORT).run_for(5))
        assert stop.cause == "its address-space limit was reached"


@pytest.mark.parametrize("begin", [
    lambda seed: limited(seed, 0.92).run_for(8),
    lambda seed: filling(seed, 0.915),  # a thread more
    lambda seed: filling(seed, 0.99, held_s=30),  # it came there long before
])  # fmt: skip
@pytest.mark.parametrize("lines", [(), ("slot 0: released",)])
def test_one_that_stands_near_its_limit_has_not_reached_it(begin, lines):
    for seed in SEEDS:
        stop = one(begin(seed).die(ABORT).log(*lines).run_for(5))
        assert stop.cause.startswith("UNKNOWN: SIGABRT")
        assert stop.hypotheses[0].startswith("its address-space limit")
        assert not any("limit reached" in text for text in stop.evidence)
        assert not any("address-space limit" in text for text in stop.excluded)


@pytest.mark.parametrize("line", [ASSERT, CUDA])
def test_what_aborted_for_another_reason_did_not_reach_its_limit(line):
    for seed in SEEDS:
        for world in (limited(seed, 0.92).run_for(8), filling(seed, 0.99)):
            assert one(world.die(ABORT).log(line).run_for(5)).cause == f"aborted itself: {line}"


@pytest.mark.parametrize("share", [0.3, 0.95])
def test_bad_alloc_is_named_only_where_the_log_shows_it(share):
    for seed in SEEDS:
        stop = one(limited(seed, share).run_for(8).die(ABORT).log(*ALLOC).run_for(5))
        assert stop.cause == "its address-space limit was reached; std::bad_alloc"
        assert stop.log == ALLOC


def test_a_thread_that_found_no_room_speaks_for_the_limit_where_it_was_reached():
    """As llama-server logs it under ``prlimit --as`` at what it had already taken."""
    line = "terminate called after throwing an instance of 'std::system_error'"
    for seed in SEEDS:
        full, roomy = limited(seed, 0.999), limited(seed, 0.3)
        told = [one(world.run_for(8).die(ABORT).log(line).run_for(5)).cause for world in (full, roomy)]
        assert told == [f"its address-space limit was reached; aborted itself: {line}", f"aborted itself: {line}"]


def test_bad_alloc_without_a_limit_is_a_hint_and_no_cause():
    for seed in SEEDS:
        stop = one(Tree(seed).run_for(8).die(ABORT).log(*ALLOC).run_for(5))
        assert stop.cause.startswith("UNKNOWN")
        assert any("bad_alloc" in text for text in stop.evidence)


@pytest.mark.parametrize("status", [9, 11, 1 << 8])
def test_a_log_of_an_abort_says_nothing_of_another_end(status):
    for seed in SEEDS:
        stop = one(limited(seed, 0.99).run_for(8).die(status).log(*ALLOC, ASSERT).run_for(5))
        assert stop.cause.startswith("UNKNOWN")


@pytest.mark.parametrize("exe", ["/usr/bin/docker-proxy", "/usr/bin/ssh"])
@pytest.mark.parametrize(("status", "kind"), [(2, "signal"), (9, "signal"), (ABORT, "crash"), (1 << 8, "exit")])
def test_the_end_of_a_forwarder_is_not_that_of_the_server_behind_it(exe, status, kind):
    name = exe.rpartition("/")[2]
    for seed in SEEDS:
        world = Tree(seed)
        world.exe = exe
        world.out.clear()
        world._put(world.now, Event(what="found", name="a", at=world.now, **world._who(world.life)))
        world.run_for(8)
        world.oom_host += 1  # it befell the container; the proxy's own cgroup is another
        stop = one(world.die(status).log(ASSERT).run_for(5))
        assert (stop.family, stop.kind) == ("STOPPED", kind)
        assert stop.cause.startswith(f"UNKNOWN: {name} only hands connections on")
        assert stop.cause.removeprefix("UNKNOWN: ") in stop.evidence
        assert not any(re.search("oom|limit|SIG", text) for text in stop.excluded)
        assert stop.hypotheses[0].startswith("the OOM killer ended the server behind it")
        assert "seen: +1 on the host" in stop.hypotheses[0]
        assert any(f"+1 on the host, +0 in {name}'s cgroup" in text for text in stop.evidence)


def test_a_cgroup_alone_does_not_exclude_what_the_host_counted():
    for seed in SEEDS:
        world = Tree(seed).run_for(8)
        world.oom_host += 1
        stop = one(world.die(9).run_for(5))
        assert not any("OOM" in text for text in stop.excluded)
        guess = next(text for text in stop.hypotheses if text.startswith("the OOM killer"))
        assert "+1 on the host, of what process unknown; +0 in its cgroup" in guess


def test_what_its_cgroup_counted_is_not_excluded_by_the_host():
    for seed in SEEDS:
        world = Tree(seed).run_for(12)
        world.oom_cgroup += 1
        stop = one(world.die(9).run_for(5))
        assert stop.kind == "oom"
        assert not any("OOM" in text for text in stop.excluded)


def test_its_last_word_and_signal_6_agree():
    for seed in SEEDS:
        stop = one(Tree(seed).run_for(8).die(ABORT).log("slot 0: processing", ASSERT, "Aborted").run_for(5))
        assert stop.cause == f"aborted itself: {ASSERT}"
        assert stop.alike == ("ggml-org/llama.cpp #27749: SIGABRT about once a day",)


def test_a_gpu_error_is_a_cause_where_driver_log_and_signal_agree():
    for seed in SEEDS:
        told = one(Tree(seed).run_for(8).xid(79).die(ABORT).log(CUDA).run_for(5))
        assert told.cause == f"aborted itself: {CUDA}; the driver reported Xid 79 on GPU 0"
        alone = one(Tree(seed).run_for(8).xid(79).die(ABORT).run_for(5))
        assert alone.cause.startswith("UNKNOWN")
        assert alone.hypotheses[0].startswith("a GPU error")
        assert any(text.startswith("the driver reported Xid 79 on GPU 0, 1.") for text in alone.evidence)
        lost = one(Tree(seed).run_for(8).xid(79, what="gpu-lost").die(ABORT).run_for(5))
        assert any(text.startswith("the driver lost GPU 0") for text in lost.evidence)


def test_an_xid_of_another_time_or_another_gpu_is_none_of_its_business():
    for seed in SEEDS:
        early = one(Tree(seed).run_for(20).xid(79, ago_s=15).die(ABORT).log(CUDA).run_for(5))
        assert early.cause == f"aborted itself: {CUDA}"
        world = Tree(seed).run_for(5)
        world._put(world.now, Gpu(index=1, uuid="g1", processes={str(world.life.pid): GIB}))
        other = one(world.run_for(2).xid(79, gpu=0).die(ABORT).run_for(5))
        assert not any("Xid" in text for text in (*other.evidence, *other.hypotheses))


def test_lines_that_stood_there_before_are_of_another_moment():
    for seed in SEEDS:
        world = Tree(seed).run_for(6).log(ASSERT, "server listens").run_for(4)
        stop = one(world.die(ABORT).log(ASSERT, "server listens").run_for(5))
        assert stop.cause.startswith("UNKNOWN")


def test_a_log_that_lies_is_contradicted_by_the_kernel():
    for seed in SEEDS:
        world = Tree(seed).run_for(8).die(9).log("Out of memory: Killed process 4123 (llama-server)")
        stop = one(world.run_for(5))
        assert stop.cause.startswith("UNKNOWN")
        assert stop.kind == "signal"
        assert any("the kernel's own count did not move" in text for text in stop.evidence)


@pytest.mark.parametrize("status", [9, 11, ABORT, 15, 0, 3 << 8])
def test_no_word_of_the_memory_killer_where_its_counts_did_not_move(status):
    for seed in SEEDS:
        stop = one(Tree(seed).run_for(8).die(status).log("slot 0: released").run_for(5))
        said = " ".join((stop.cause, *stop.evidence, *stop.hypotheses))
        assert not re.search(r"(?i)oom|out of memory", said)
        assert any("oom_kill +0" in text for text in stop.excluded)


def test_a_log_of_another_kind_is_only_shown():
    stop = one(Tree(1).run_for(8).die(9).log(note="binary: its last bytes are no text").run_for(5))
    assert "log: binary: its last bytes are no text" in stop.evidence
    assert stop.log == ()
    rotated = Tree(2).run_for(8).die(ABORT).log(ASSERT, note="rotated: another file stands at its path now")
    late = rotated.log("a new life", after_ms=60)
    assert one(late.run_for(5)).cause == f"aborted itself: {ASSERT}"


def test_guesses_stand_in_the_order_of_what_was_seen():
    for seed in SEEDS:
        world = Tree(seed).run_for(8).die(15, facts={"session leader": "gone"})
        stop = one(world.run_for(5))
        assert stop.hypotheses[0].startswith("the end of a login session")
        assert "speaks against" in stop.hypotheses[-1]


@pytest.mark.parametrize(("number", "facts", "guess"), [
    (13, {}, "it wrote to a pipe or a connection whose reader had gone"),
    (24, {"limit of cpu time": "3600"}, "its limit of CPU time"),
    (25, {"limit of file size": "1048576"}, "its limit of the size of a file"),
])  # fmt: skip
def test_a_signal_that_the_kernel_sends_for_a_deed_is_no_launchers_doing(number, facts, guess):
    for seed in SEEDS:
        stop = one(Tree(seed, **facts).run_for(8).die(number).run_for(5))
        assert (stop.kind, stop.signal) == ("signal", number)
        assert stop.cause.endswith("of its own making or sent to it; the record cannot tell them apart")
        assert stop.hypotheses[0].startswith(guess)
        assert all(f"a limit of {limit} " in stop.hypotheses[0] for limit in facts.values())
        assert [text.split(";")[0] for text in stop.hypotheses[1:]] == ["a signal sent by another process"]


def test_a_limit_that_was_not_set_is_no_first_guess():
    for seed in SEEDS:
        stop = one(Tree(seed, **{"limit of cpu time": "unlimited"}).run_for(8).die(24).run_for(5))
        assert stop.hypotheses[-1].startswith("its limit of CPU time")
        assert "it had none" in stop.hypotheses[-1]


@pytest.mark.parametrize("number", [1, 2, 9, 15])
def test_a_signal_that_others_send_is_told_as_before(number):
    for seed in range(10):
        stop = one(Tree(seed).run_for(8).die(number).run_for(5))
        assert stop.cause == "UNKNOWN: sender of the signal not observable without audit rights"
        assert any(text.startswith("its launcher's time-out") for text in stop.hypotheses)


def test_an_orderly_end_after_half_an_hour_is_consistent_with_a_launcher_and_not_proven():
    for seed in SEEDS:
        world = Tree(seed)
        world.life.born_at = world.now + 8 * S - int(1800.4 * S)
        world.out.clear()
        world._put(world.now, Event(what="found", name="a", at=world.now, **world._who(world.life)))
        stop = one(world.run_for(8).die(0).run_for(5))
        assert (stop.code, stop.uptime_s) == (0, pytest.approx(1800.4, abs=0.2))
        assert stop.hypotheses[0].startswith("its launcher's time-out")
        assert "consistent, not proven" in stop.hypotheses[0]
        assert stop.cause.startswith("UNKNOWN")


def test_what_its_masks_ignore_is_excluded_where_its_end_is_not_observable():
    lines = Tree(1).run_for(8).die(9, reports="r").run_for(5).seal()
    blind = [replace(x, status=None, source="unobservable") if isinstance(x, Event) and x.what == "exit" else x
             for x in lines]  # fmt: skip
    (stop,) = fold.fold(blind)
    assert stop.kind == "unknown"
    assert "SIGPIPE (its process ignored it)" in stop.excluded


def test_the_threads_at_the_break_are_told_in_one_phrase():
    for seed in SEEDS:
        frozen = one(Tree(seed).run_for(6).freeze().run_for(6).thaw().run_for(5))
        assert "all 4 threads are stopped" in frozen.evidence
        world = Tree(seed).run_for(6)
        world.deaf, world.thread_states = True, "SDSS"
        assert "thread t1 in state D at futex_wait, of 4" in one(world.run_for(8)).evidence


def test_counters_that_began_anew_are_evidence_of_a_restart():
    for seed in SEEDS:
        stop = one(Tree(seed).run_for(8).die(9).replace(300).run_for(8))
        assert "its own mark of its start changed: mark-1 -> mark-2" in stop.evidence


def test_connections_that_remain_are_evidence_of_deafness():
    lines = [replace(x, established=3) if getattr(x, "listens", None) is False else x for x in _deaf()]
    (stop,) = fold.fold(lines)
    assert "3 ESTABLISHED connections remain" in stop.evidence
    assert stop.alike == ("ggml-org/llama.cpp #20509: process alive, ESTABLISHED connections, no LISTEN socket",)


def _deaf():
    world = Tree(4).run_for(6)
    world.deaf = True
    return world.run_for(8).seal()


@pytest.mark.parametrize(("status", "silent"), [(0, False), (9, True), (1 << 8, True), (11, True)])
def test_a_job_that_is_done_is_no_stop(status, silent):
    for seed in SEEDS:
        stop = one(Tree(seed, clients=0, job="yes").run_for(8).die(status).run_for(5))
        assert stop.family == "STOPPED"
        assert (stop.planned, stop.silent) == (not silent, silent)
        if status == 0:
            assert stop.cause == "its work was done: it ended itself with status 0"
            assert stop.hypotheses == ()


def test_the_driver_and_the_heartbeat_are_no_endpoints():
    lines = Tree(1).xid(79).run_for(12).seal()
    assert fold.fold(lines) == ()
    assert fold.fold([x for x in lines if isinstance(x, Clock)]) == ()


def test_the_last_words_of_a_deaf_server_are_testimony_and_name_no_cause():
    for seed in SEEDS:
        world = Tree(seed).run_for(8)
        world.deaf = True
        stop = one(world.log("EXCEPTION: failed to convert 'ten' to number").run_for(6))
        assert (stop.family, stop.cause) == ("DEAF", "UNKNOWN")
        assert "its log says: EXCEPTION: failed to convert 'ten' to number" in stop.evidence
        assert stop.hypotheses[0].startswith("its listening thread died")


WARNS = "UserWarning: resource_tracker: 1 leaked semaphore objects to clean up at shutdown"
OWN = "srv operator(): operator(): cleaning up before exit..."


@pytest.mark.parametrize(
    ("lines", "ends", "seen"),
    [
        ((WARNS,), (), ""),
        ((WARNS, OWN), (OWN,), OWN),
        ((OWN, WARNS), (OWN,), OWN),
        ((WARNS,), None, WARNS),  # of an older record
        ((WARNS,), ("a line that never stood there",), ""),
    ],
)
def test_an_orderly_end_is_told_by_the_own_words_of_a_kind(lines, ends, seen):
    for seed in range(5):
        world = Tree(seed).run_for(8).die(0).log(*lines)
        read = [replace(x, ends=ends) if isinstance(x, Log) else x for x in world.run_for(5).seal()]
        (stop,) = fold.fold(read)
        guess = next(text for text in stop.hypotheses if text.startswith("an orderly shutdown"))
        assert ("seen: " + seen in guess) is bool(seen)
        assert [text for text in stop.evidence if "its log says" in text] == ([f"its log says: {seen}"] if seen else [])


@pytest.mark.parametrize(
    ("status", "log", "alike"),
    [
        (9, (), ()),  # no log is open to us: nobody knows how it ends
        (9, ("slot 0: released",), ("#20509",)),
        (9, ("Out of memory: Killed process 7",), ()),
        (15, ("slot 0: released",), ()),
        (0, (), ()),
        (1 << 8, ("slot 0: released",), ("#18546",)),
        (1 << 8, ("error: fatal exception",), ()),
        (11, ("slot 0: released",), ()),  # a server and no runner
        (ABORT, (), ()),
        (ABORT, (ASSERT,), ("#27749",)),
    ],
)
def test_a_public_report_is_named_only_where_what_it_is_about_was_seen(status, log, alike):
    for seed in range(3):
        world = Tree(seed).run_for(8).die(status)
        stop = one((world.log(*log) if log else world).run_for(5))
        assert [re.search("#[0-9]+", text)[0] for text in stop.alike] == list(alike)
