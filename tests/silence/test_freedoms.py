"""Freedoms are drawn so that every two meet, each says where it stands, and one of a kind is had at a time."""

from itertools import combinations

import pytest

from tests.golden.faults import FAULTS
from tests.silence import freedoms

LEGAL = {name: fault for name, fault in FAULTS.items() if fault.family == "legal"}


def test_each_freedom_says_what_is_left_open_and_where() -> None:
    assert [name for name, fault in LEGAL.items() if not fault.of or not fault.source] == []


@pytest.mark.parametrize("seed", [0, 1])
def test_every_two_freedoms_that_one_server_can_have_meet(seed: int) -> None:
    met = {pair for server in freedoms.servers(seed) for pair in combinations(sorted(server), 2)}
    of = {name: fault.of for name, fault in LEGAL.items()}
    assert {pair for pair in combinations(sorted(LEGAL), 2) if of[pair[0]] != of[pair[1]]} == met


def test_each_freedom_is_met_where_another_is_not_taken() -> None:
    servers = [set(server) for server in freedoms.servers()]
    of = {name: fault.of for name, fault in LEGAL.items()}
    taken = [{of[name] for name in server} for server in servers]
    for name in LEGAL:
        others = [of_server for server, of_server in zip(servers, taken, strict=True) if name in server]
        assert set.intersection(*others) == {of[name]}


def test_the_same_seed_draws_the_same_servers() -> None:
    assert list(freedoms.servers(3)) == list(freedoms.servers(3)) != list(freedoms.servers(4))
