"""How many streams a server answers at once, told from two that were sent together."""

import pytest

from load.engine.slots import one_after_the_other
from seatrial.wire.transports.load import Stream

S = 1_000_000_000


def spoke(of: float, to: float) -> Stream:
    return Stream(sent_at=1, first_at=int(of * S), last_at=int(to * S), status=200)


@pytest.mark.parametrize(
    ("first", "second", "held"),
    [
        (spoke(1, 2), spoke(2.1, 3), True),
        (spoke(1, 2), spoke(1.1, 2.2), False),  # side by side
        (spoke(1, 1.1), spoke(1.2, 1.3), False),  # too short to tell
        (spoke(1, 9), Stream(sent_at=1, error="deadline"), True),
        (spoke(1, 9), Stream(sent_at=1, error="idle", status=200), True),
        (spoke(1, 9), Stream(sent_at=1, status=503), True),  # it says that it is busy
        (spoke(1, 9), Stream(sent_at=1, status=500), False),
        (spoke(1, 9), Stream(sent_at=1, error="reset"), False),
        (Stream(sent_at=1, error="deadline"), Stream(sent_at=1, error="deadline"), False),
        (Stream(sent_at=1, error="refused"), Stream(sent_at=1, error="refused"), False),
    ],
)
def test_one_after_the_other(first: Stream, second: Stream, held: bool) -> None:
    assert one_after_the_other(first, second) is held
