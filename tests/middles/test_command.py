"""``python -m tests.middles``: what cannot be had is said with its reason, and is no success."""

from __future__ import annotations

import pytest

from seatrial.servers import embedded
from tests.middles import programs
from tests.middles.__main__ import options, run
from tests.middles.programs import Programs
from tests.middles.table import markdown


def no_model() -> None:
    raise OSError("no model here")


def test_what_cannot_be_had_is_not_passed_over(tmp_path, monkeypatch):
    """The program is looked for before the model: of a machine without both it is said that there is no program."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(embedded, "model_file", no_model)
    found = run(options(["--only=router", f"--keep={tmp_path}", f"--programs={tmp_path}", "--seconds=1"]))
    assert [each.not_tried for each in found] == ["there is no llama-server on PATH"]
    assert found[0].wrong
    assert "Not tried: there is no llama-server on PATH." in markdown(found, 1, 1)


def test_a_slip_of_the_pen_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as ended:
        options(["--only=apache"])
    assert ended.value.code == 4
    assert "apache" in capsys.readouterr().err


def test_an_nginx_beside_the_path_is_found(tmp_path, monkeypatch):
    nginx = tmp_path / "nginx"
    nginx.write_text("")
    nginx.chmod(0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(programs, "SBIN", str(tmp_path))
    assert Programs(tmp_path / "programs").nginx() == str(nginx)
