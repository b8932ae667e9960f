"""What is wrong is said before anything is begun, and run.json keeps no secret."""

import re

import pytest

from seatrial.checks.own.word import HOLDS
from seatrial.given.access import Access
from seatrial.given.errors import ConfigError
from seatrial.given.options import Options
from seatrial.records import OWN_SUITE, Planned
from seatrial.trial.beginning import about, check_names, check_waivers, check_writable, keep_given

WAIVER = '[[waive]]\ncase = "{}"\nwho = "me"\nwhy = "so"\nuntil = 2099-01-01\n'


def test_a_rule_that_does_not_exist_is_said_with_the_nearest():
    check_names(Options(case=("sse/role-is-sent-once[stream]",)))
    with pytest.raises(ConfigError, match="no case is called sse/role-once; nearest: sse/role-is-sent-once"):
        check_names(Options(case=("sse/role-once",)))


def test_a_waiver_may_mean_a_suite_that_is_left_out_but_not_a_planned_rule_without_a_case(tmp_path):
    file = tmp_path / "waivers.toml"
    file.write_text(WAIVER.format("sse/role-is-sent-once[stream]"))
    check_waivers(Options(waive=file), [])
    file.write_text(WAIVER.format("sse/no-such-rule"))
    with pytest.raises(ConfigError, match=r"no case is called sse/no-such-rule"):
        check_waivers(Options(waive=file), [])


@pytest.mark.parametrize("beside", ["", "mine.test_x"])
def test_a_waiver_may_mean_what_a_rule_reads_of_an_own_test(tmp_path, beside):
    """No plan holds such a case, though the rule has cases of the suites."""
    read, file = "chat/usage-adds-up", tmp_path / "waivers.toml"
    plans = [planned(read, "plain", "conformance"), *([planned(HOLDS.id, beside, OWN_SUITE)] if beside else [])]
    file.write_text(WAIVER.format(f"{read}[mine.test_x]@g"))
    check_waivers(Options(waive=file), plans)
    file.write_text(WAIVER.format(f"{read}[mine.test_y]@g" if beside else f"{read}[no-such]@g"))
    with pytest.raises(ConfigError, match="no case is called chat/usage-adds-up"):
        check_waivers(Options(waive=file), plans)


def planned(rule, scenario, suite):
    return Planned(case=f"{rule}[{scenario}]@g", endpoint="g", rule=rule, scenario=scenario, suite=suite)


def test_a_run_is_recorded_in_an_empty_place_alone(tmp_path):
    check_writable(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is not empty; name another"):
        check_writable(tmp_path)
    with pytest.raises(ConfigError, match="name another with --run-dir"):
        check_writable(tmp_path / "file" / "run")


def test_run_json_keeps_what_a_verdict_depends_on_and_no_secret():
    access = Access(key_env="KEY", headers={"X": "secret"})
    options = Options(endpoints={"a": "http://h/v1"}, access=access, strict=True, seed=4)
    info = about(options, "r", ["suites", "--header", "X: secret", "--extra-body={1}"], {"soak": "why"})
    assert info.arguments == ("suites", "--header", "***", "--extra-body=***")
    assert info.options == {
        "strict": True,
        "strict_known": False,
        "keep_bytes": "all",
        "behind": {},
        "endpoints": ["a"],
        "hazard": "heavy",
        "depth": "small",
        "budget_s": 180.0,
        "soak_s": 60.0,
        "embedded": False,
        "key_env": "KEY",
        "asked": {"soak": "why"},
        "asked_with": {
            "--strict": True,
            "--request-timeout": 60.0,
            "--header": ["x"],
            "--api-key-env": "KEY",
            "--tools": "",
            "--policy": "",
            "--seed": 4,
            "--budget": 180.0,
            "--soak": 60.0,
            "--users": None,
            "--rps": None,
            "--phases": "",
            "--workload": "short",
            "--canary-every": 60.0,
            "--slo": "",
            "--hazard": "heavy",
        },
    }


@pytest.mark.parametrize(
    ("claim", "said"),
    [('probe = "loops/answers-do-not-lop"', "answers-do-not-lop; nearest: loops/answers-do-not-loop"),
     ('probe = "loops/answers-do-not-loop"\nof = "b"', '"x" is of b; the endpoints are a')],
)  # fmt: skip
def test_claims_are_looked_at_before_anything_begins(tmp_path, claim, said):
    file = tmp_path / "claims.toml"
    file.write_text(f'[[claim]]\nsays = "x"\nmeasure = "bad answers"\nat_most = 0.1\n{claim}\n')
    with pytest.raises(ConfigError, match=re.escape(said)):
        check_names(Options(endpoints={"a": "http://h/v1"}, claims=file))


def test_only_the_embedded_server_has_waivers_of_its_own(tmp_path):
    keep_given(Options(endpoints={"a": "http://h/v1"}), tmp_path)
    assert not list(tmp_path.iterdir())
    keep_given(Options(), tmp_path)
    assert "[[waive]]" in (tmp_path / "waivers.toml").read_text()
