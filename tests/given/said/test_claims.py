"""A file of claims: what it holds, and one line for each thing that can be wrong with it."""

import pytest

from seatrial.given.errors import ConfigError
from seatrial.given.said import claims
from seatrial.records import Measure

PROBES = {"loops/answers-do-not-loop", "stops/answers-end-by-themselves"}


def written(path, text):
    file = path / "claims.toml"
    file.write_text(text)
    return claims.read(file, PROBES)


def test_the_notes_claims(tmp_path):
    found = written(tmp_path, """
[[claim]]
says = "112 tok/s"
measure = "tokens per second"
at_least = 112
source = "the note of 2026-02-01"
[[claim]]
says = "1.8x faster"
measure = "speed ratio"
at_least = 1.7
at_most = 1.9
[[claim]]
says = "no loops"
measure = "bad answers"
probe = "loops/answers-do-not-loop"
at_most = 0.02
must = true
of = "glm"
""")  # fmt: skip
    assert [(claim.says, claim.measure, claim.must) for claim in found] == [
        ("112 tok/s", Measure.TOKENS_PER_SECOND, False),
        ("1.8x faster", Measure.SPEED_RATIO, False),
        ("no loops", Measure.BAD_ANSWERS, True),
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('measure = "speed ratio"\nat_last = 2', "line 4: unknown key at_last"),
        ('measure = "speed"\nat_least = 2', "line 3: measure: unknown: 'speed'; known are"),
        ('measure = "speed ratio"', "line 2: a claim says where it must lie"),
        ('measure = "speed ratio"\nat_least = 2\nat_most = 1', "at_least lies above at_most"),
        ('measure = "speed ratio"\nat_least = nan', "numbers from 0 on"),
        ('measure = "speed ratio"\nat_least = 1\nprobe = "loops/x"', "probe belongs to the measure bad answers"),
        ('measure = "bad answers"\nat_most = 2\nprobe = "loops/x"', "0.02 is 2 in 100"),
        ('measure = "bad answers"\nat_most = 0.1\nprobe = "loops/answers-do-not-lop"', "nearest: loops/answers-do-not"),
        ('measure = "bad answers"\nat_most = 0.1', "no probe is called (none is named)"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, lines, said):
    with pytest.raises(ConfigError) as caught:
        written(tmp_path, f'[[claim]]\nsays = "x"\n{lines}\n')
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        '[[claim]]\nsays = "\\u001b[2J\\nno"\nmeasure = "tokens per second"\nat_least = 1\nof = "\\u001b]0;x"\n',
        '[[claim]]\nsays = "x"\nmeasure = "bad answers"\nat_most = 0.1\nprobe = "\\u001b[2J\\n"\n',
        '[[claim]]\nsays = "x"\nmeasure = "\\u001b[2J\\n"\n',
        "a = " + "[" * 50_000,
    ],
    ids=["endpoint", "probe", "measure", "deep"],
)
def test_a_hostile_file_is_one_line_that_no_terminal_obeys(tmp_path, text):
    with pytest.raises(ConfigError) as raised:
        claims.about(written(tmp_path, text), ["old", "new"], tmp_path / "claims.toml")
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 600
