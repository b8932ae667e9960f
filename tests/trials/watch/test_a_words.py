"""A line of a log counts as an orderly end only by the own words of the kind of server."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from tests.faults.processes import Golden
from tests.trials.tried import Tried, hold
from tests.trials.watch.watched import watching

pytestmark = pytest.mark.long
SOON_S = 15.0
ORDERLY = "an orderly shutdown"
UNRELATED = "UserWarning: resource_tracker: There appear to be 1 leaked semaphore objects to clean up at shutdown"


def ended(tried: Tried, folder, last_words: Sequence[str]) -> dict[str, object]:
    """What is told of a server that ended itself with status 0 after these last words in its log."""
    server, log = Golden(folder, random.Random()), folder / "words.log"
    log.write_text("listening\n")
    named = (f"--endpoint=a=http://127.0.0.1:{server.port}", f"--log=a={log}", "--canary=1s", "--json")
    try:
        with watching(tried, folder / "record", *named) as watch:
            watch.seen_well("a", canaries=2)
            with log.open("a") as out:
                out.writelines(f"{line}\n" for line in last_words)
            server.order("exit", code=0).get()
            server.reap()
            watch.until(lambda: watch.objects("kind", "stop"), "the stop is told", SOON_S)
            return watch.objects("kind", "stop")[0]
    finally:
        server.close()


def test_a_warning_that_speaks_of_a_shutdown_is_no_orderly_end(tried, tmp_path):
    said = ended(tried, tmp_path, [UNRELATED])
    guess = next(text for text in said["hypotheses"] if text.startswith(ORDERLY))
    hold("seen:" not in guess, "a warning does not speak for an orderly end", guess)
    hold(not any(UNRELATED[:40] in text for text in said["evidence"]), "and is no evidence of it", said["evidence"])


def test_the_own_words_of_its_kind_are_an_orderly_end(tried, tmp_path):
    """Of llama.cpp: a line beside them that anybody may write is not shown in their place."""
    said = ended(tried, tmp_path, ["srv operator(): operator(): cleaning up before exit...", UNRELATED])
    guess = next(text for text in said["hypotheses"] if text.startswith(ORDERLY))
    hold("seen: srv operator(): operator(): cleaning up" in guess, "the line of its own words is shown", guess)
