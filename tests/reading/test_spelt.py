"""How a text is spelt, whatever a server makes of it."""

import pytest

from seatrial.reading import spelt


@pytest.mark.parametrize("digits", ["1" * 5000, "0" * 5000, "9" * 30])
def test_an_entity_of_any_number(digits):
    assert spelt.may_be_rewritten(f"&#{digits};")
    assert spelt.is_escaped_json("{&quot;a&quot;: " + f"&#{digits};")
    assert not spelt.is_escaped_json("{&#" + digits)


def test_what_a_value_holds_however_deep_it_is(monkeypatch):
    deep = "a"
    for _ in range(5000):  # some decoders of JSON nest deeper than a function may call itself
        deep = {"k": [deep, "b"]}
    monkeypatch.setattr(spelt, "decoded", lambda text: (deep, ""))
    assert spelt.strings("").splitlines() == ["k"] * 5000 + ["a"] + ["b"] * 5000
    monkeypatch.undo()
    assert spelt.strings('{"x": ["y", 1, {"z": "w"}], "v": null}') == "x\ny\nz\nw\nv"
    assert spelt.strings("no JSON") == "no JSON"
