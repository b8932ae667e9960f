"""A gateway that lives while its backend is dead is told at the right door, whatever it says meanwhile."""

from __future__ import annotations

import pytest

from tests.trials.tried import hold
from tests.trials.watch.doors import doors

pytestmark = pytest.mark.long
SOON_S = 15.0
BEHIND = "direct, which stands behind it: STOPPED"
BY_HEALTH = {"cut": "--wedged=3s", "502": "--wedged=3s", "503": "--wedged=3s", "silent": "--wedged-silent=3s"}
"""What the backend's end makes of /health of a gateway, and the limit after which it is told at the latest."""


@pytest.mark.parametrize("own", [True, False], ids=["its health stays well", "its health fails too"])
def test_who_turns_every_chat_away_is_told_of_what_is_behind(tried, tmp_path, own):
    with doors(tried, tmp_path, "--json", "--canary=1s", dead="503", own=own) as two:
        two.watch.seen_well("gw", "direct", canaries=2)
        two.kill()
        must = f"the gateway's stop is told, and that its cause is the backend's ({BEHIND})"
        two.watch.until(
            lambda: [x for x in two.watch.objects("name", "gw") if x["cause"].startswith(BEHIND)], must, SOON_S
        )
        hold(two.watch.end().code == 1, "exit 1", two.watch.out)


@pytest.mark.parametrize("dead", BY_HEALTH)
def test_without_a_canary_the_neighbour_is_asked_before_unknown_is_said(tried, tmp_path, dead):
    with doors(tried, tmp_path, "--json", "--canary=off", BY_HEALTH[dead], dead=dead, own=False) as two:
        two.watch.seen_well("gw", "direct")
        two.kill()
        must = f"the gateway's stop is told, and that its cause is the backend's ({BEHIND})"
        two.watch.until(lambda: two.watch.objects("name", "gw"), must, SOON_S)
        said = two.watch.objects("name", "gw")
        hold(said[0]["cause"].startswith(BEHIND), must, said)


def test_the_line_of_a_gateways_stop_says_what_became_of_its_backend(tried, tmp_path):
    with doors(tried, tmp_path, "--canary=1s", dead="502", own=True) as two:
        two.watch.seen_well("gw", "direct", canaries=2)
        two.kill()
        two.watch.until(lambda: "gw  WEDGED" in two.watch.out, "the gateway's stop is told", SOON_S)
        said = next(line for line in two.watch.out.splitlines() if line.startswith("gw  WEDGED"))
        hold("direct STOPPED by SIGKILL" in said, "its line says how the backend ended, and when", said)
        hold("the fault is behind it" in said, "its line says where the fault is", said)


def test_a_status_502_is_evidence_without_a_known_name_and_without_behind(tried, tmp_path):
    with doors(tried, tmp_path, "--json", "--canary=1s", dead="502", own=True, behind=False) as two:
        two.watch.seen_well("gw", "direct", canaries=2)
        two.kill()
        two.watch.until(lambda: two.watch.objects("name", "gw"), "the gateway's stop is told", SOON_S)
        said = two.watch.objects("name", "gw")[0]
        hold("502" in said["cause"], "its cause says what the gateway itself says by 502", said)
        hold("stands behind" in said["hypotheses"][0], "what stands behind it is suspected first", said["hypotheses"])
