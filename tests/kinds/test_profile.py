"""What is known of kinds of servers: the files themselves, and how they are matched."""

import pytest

from seatrial.checks.catalogue import load_all
from seatrial.given.errors import ConfigError
from seatrial.kinds import profile
from seatrial.kinds.profile import Known, Profile
from seatrial.records import Judged, Outcome
from tests.silence.tables import SCENARIOS


def judged(case, outcome):
    rule, _, scenario = case.partition("[")
    return Judged(
        case=f"{case}@x", endpoint="x", rule=rule, scenario=scenario.rstrip("]"), suite="conformance", outcome=outcome
    )


def test_there_is_a_profile_of_each_kind_and_an_unknown_one_is_generic():
    assert {"dasllama", "generic", "llama.cpp", "ollama", "vllm"} <= set(profile.kinds())
    assert {profile.load(kind).kind for kind in profile.kinds()} == set(profile.kinds())
    assert profile.load("of a newer version").kind == "generic"


def test_a_kind_is_called_as_its_file_unless_it_says_otherwise(tmp_path):
    (tmp_path / "some_k.toml").write_text("")
    (tmp_path / "other_k.toml").write_text('kind = "other k"')
    assert profile.read(tmp_path / "some_k.toml").kind == "some_k"
    assert profile.read(tmp_path / "other_k.toml").kind == "other k"


def every_case():
    """Each case of the conformance suite, as ``rule[scenario]``."""
    return [f"{r.id}[{name}]" for r in load_all().values() for name, s in SCENARIOS.items() if r.applies(s)]


@pytest.mark.parametrize("kind", profile.kinds())
def test_each_known_deviation_means_a_case(kind):
    cases = every_case()
    for known in profile.load(kind).known:
        assert any(known.covers(case, "") for case in cases), known.case


@pytest.mark.parametrize(
    ("pattern", "case", "covered"),
    [
        ("sse/role-is-sent-once", "sse/role-is-sent-once[usage]@x", True),
        ("sse/role-is-sent-once", "sse/role-is-sent-once@x", True),
        ("sse/role-is-sent-once[usage]", "sse/role-is-sent-once[usage]@x", True),
        ("sse/role-is-sent-once[us*]", "sse/role-is-sent-once[usage]", True),
        ("sse/role-is-sent-once[usag?]", "sse/role-is-sent-once[usage]", True),
        ("sse/*", "sse/role-is-sent-once[usage]@x", True),
        ("sse/role-is-sent-once[usage]", "sse/role-is-sent-onceu@x", False),
        ("sse/role-is-sent-once", "sse/role-is-sent-once-more[usage]", False),
        ("sse.role-is-sent-once", "sse/role-is-sent-once", False),
    ],
)
def test_which_cases_a_pattern_means(pattern, case, covered):
    assert Known(case=pattern, reason="r").covers(case, "") is covered


@pytest.mark.parametrize(
    ("builds", "build", "covered"),
    [
        ("", "b1", True),
        ("<b6000", "b5999-abc", True),
        ("<b6000", "b6000-abc", False),
        (">=b5000, <b6000", "b5000", True),
        (">=b5000, <b6000", "b4999", False),
        (">b5000", "b5000", False),
        ("<=b5000", "b5000", True),
        ("<b6000", "b0-unknown", True),
        ("<b6000", "", True),
    ],
)
def test_on_which_builds(builds, build, covered):
    assert Known(case="a/b", reason="r", builds=builds).covers("a/b[c]", build) is covered


def test_what_is_known_is_said_with_its_link_and_never_for_another_case():
    mine = Profile(kind="k", known=(Known(case="a/b", reason="why", link="https://x"), Known(case="c/*", reason="no")))
    assert mine.known_word("a/b[s]@n", "") == "why (https://x)"
    assert mine.known_word("c/d[s]@n", "") == "no"
    assert mine.known_word("e/f[s]@n", "") == ""


def test_a_deviation_that_no_longer_shows_is_noticed_and_no_other():
    mine = Profile(kind="k", known=(Known(case="a/b", reason="why"), Known(case="c/d", reason="no")))
    gone = [judged("a/b[s]", Outcome.PASS), judged("a/b[t]", Outcome.PASS), judged("c/d[s]", Outcome.INCONCLUSIVE)]
    assert mine.known_unseen(gone, "") == ("k: a/b is known to deviate and holds now: why",)
    assert mine.known_unseen([*gone, judged("a/b[u]", Outcome.ADVISORY)], "") == ()
    assert mine.known_unseen([judged("a/b[s]", Outcome.NOT_EXECUTED)], "") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[known]]\ncase = "a"\n', "x.toml line 1: there is no key reason"),
        ("[thinking]\noff = 5\n", "x.toml line 2: off: "),
        (
            '[[known]]\ncase = "a"\nreason = "r"\nbuilds = "new"\n',
            "x.toml line 4: builds: new is no range",
        ),
        ("kind = 't\n", "x.toml line 1: no TOML: "),
        ('title = "t"\n', "x.toml line 1: unknown key title"),
    ],
)
def test_an_unreadable_profile_is_said_with_file_line_and_key(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        profile.read(tmp_path / "x.toml")
    assert str(caught.value).startswith(message)
