"""Marks are apart, are put where a body asks for them, and are found in a text."""

from seatrial.reading import marks
from seatrial.records import Marked


def test_marks_are_apart_and_the_same_again():
    made = {marks.made("run", f"echo-1.{n}") for n in range(300)}
    assert len(made) == 300
    assert marks.made("run", "echo-1.1") in made
    assert marks.made("other", "echo-1.1") not in made


def test_a_mark_is_put_where_a_body_asks_for_it():
    body = {"messages": [{"content": Marked(text="Say {mark}.")}, {"content": Marked(of="first-1")}], "n": 1}
    said = marks.put(body, lambda of: f"<{of}>")
    assert said == {"messages": [{"content": "Say <>."}, {"content": "<first-1>"}], "n": 1}


def test_marks_are_found_by_their_second_half():
    mark = marks.made("run", "a")
    (half,) = marks.found(f"Repeat: {mark}, and no more. amber-falcon, falcon-0127")
    assert half == mark.partition("-")[2]
    assert half in f"xx-{half}"
