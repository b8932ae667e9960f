"""nginx in front of a server: its master owns the socket and never runs, its workers do the work."""

from __future__ import annotations

from random import Random

import pytest

from tests.middles.programs import Programs
from tests.middles.scene import stage
from tests.trials.tried import hold, tried
from tests.trials.watch.watched import watching

SHORT = ("--canary=2s", "--frozen=2s", "--wedged=8s", "--wedged-silent=5s", "--wedged-unseen=10s")


@pytest.mark.long
@pytest.mark.real
def test_nginx_is_not_frozen_where_its_backend_is(tmp_path):
    """What is stopped is told at its own door; of the middle alone, that work waits and nothing comes."""
    with stage("nginx", Programs(tmp_path / "programs"), tmp_path / "nginx", Random(5), "embedded") as on:
        asked = f"--endpoint=middle=http://127.0.0.1:{on.middle.port}"
        with watching(tried(), tmp_path / "run", "--json", asked, *SHORT) as watch:
            watch.seen_well("middle", canaries=1)
            on.backend.stop()
            try:
                watch.until(lambda: watch.objects("kind", "stop"), "the silence is told", 60)
            finally:
                on.backend.go_on()
            said = watch.end()
    verdicts = {each["verdict"] for each in watch.objects("kind", "stop")}
    hold(verdicts == {"WEDGED"}, "the middle is WEDGED and nothing else", said.out)
