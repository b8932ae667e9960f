"""Which files a session with a key masks, and what it leaves alone."""

from __future__ import annotations

import json
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from fixtures.own import hidden
from seatrial.wire.masking.mask import Mask

KEY = "sk-0123456789abcdef"


def sweep(folder, monkeypatch, writes) -> list:
    monkeypatch.setattr(hidden, "parse", lambda config: SimpleNamespace(access=SimpleNamespace(mask=Mask(KEY))))
    given = {"allure_report_dir": str(folder), "xmlpath": None}
    hiding = hidden.Hiding(SimpleNamespace(getoption=lambda name, default: given[name]))  # type: ignore[arg-type]
    writes()
    return hiding.sweep()


def test_what_the_session_wrote_is_masked_and_neither_a_run_nor_what_was_there(tmp_path, monkeypatch):
    before, run = tmp_path / "before.txt", tmp_path / "runs" / "one"
    before.write_text(KEY)
    (run / "writers").mkdir(parents=True)
    (tmp_path / "new.json.masked").write_text("mine")

    def writes():
        (run / "run.json").write_text("{}")
        (run / "writers" / "bytes.bin").write_text("sk-... is a part of it")  # sealed by its sum
        (tmp_path / "deep").mkdir()
        for path in (tmp_path / "new.json", tmp_path / "deep" / "new.txt"):
            path.write_text(f"it was {KEY}")
            path.chmod(0o600)

    assert sweep(tmp_path, monkeypatch, writes) == []
    for path in (tmp_path / "new.json", tmp_path / "deep" / "new.txt"):
        assert path.read_text() == f"it was {'*' * len(KEY)}"
        assert path.stat().st_mode & 0o777 == 0o600
    assert before.read_text() == KEY
    assert (run / "writers" / "bytes.bin").read_text() == "sk-... is a part of it"
    assert (tmp_path / "new.json.masked").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"before.txt", "runs", "new.json.masked", "new.json", "deep"}


@pytest.mark.parametrize("key", ["test", "name", "status", KEY])
def test_a_key_that_is_a_word_breaks_no_file_that_others_read(tmp_path, key):
    junit, result, attached = tmp_path / "j.xml", tmp_path / "u-result.json", tmp_path / "u-attachment.json"
    junit.write_text(f'<testsuites><testcase name="a {key}&amp;"><failure>was {key}</failure></testcase></testsuites>')
    result.write_text(json.dumps({"name": f"a {key}", "testCaseId": "testid", "status": "passed", "statusDetails": {}}))
    attached.write_text(json.dumps({key: 1}))
    for path in (junit, result, attached):
        assert hidden.hide_in(path, Mask(key))
    stars = "*" * len(key)
    case = ElementTree.fromstring(junit.read_text())[0]
    assert (case.tag, case.attrib, case[0].text) == ("testcase", {"name": f"a {stars}&"}, f"was {stars}")
    told = json.loads(result.read_text())
    assert told == {"name": f"a {stars}", "testCaseId": "testid", "status": "passed", "statusDetails": {}}
    assert json.loads(attached.read_text()) == {stars: 1}
