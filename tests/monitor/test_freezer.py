"""What says that a freezer holds a process: its cgroup of either version, read anew each time."""

from __future__ import annotations

import os

import pytest

from seatrial.monitor.process import freezer


@pytest.fixture
def cgroups(tmp_path, monkeypatch):
    """A tree of cgroups; the process's own place in it is what ``lines`` says."""
    lines = tmp_path / "cgroup"
    real = freezer.read
    monkeypatch.setattr(freezer, "read", lambda path: real(str(lines) if path.endswith("/cgroup") else path))

    def frozen(text: str, **files: str) -> bool | None:
        lines.write_text(text)
        for path, content in files.items():
            where = tmp_path / path.replace("__", "/").replace("_", ".")
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_text(content)
        return freezer.frozen(7, str(tmp_path))

    return frozen


def test_version_two_alone(cgroups):
    assert cgroups("0::/a/b\n", a__b__cgroup_events="populated 1\nfrozen 1\n") is True
    assert cgroups("0::/a/b\n", a__b__cgroup_events="populated 1\nfrozen 0\n") is False


def test_both_versions_beside_each_other(cgroups):
    lines = "6:freezer:/w\n4:memory:/x\n0::/a\n"
    assert cgroups(lines, unified__a__cgroup_events="frozen 0\n", freezer__w__freezer_state="FROZEN\n") is True
    assert cgroups(lines, unified__a__cgroup_events="frozen 1\n", freezer__w__freezer_state="THAWED\n") is True
    assert cgroups(lines, unified__a__cgroup_events="frozen 0\n", freezer__w__freezer_state="THAWED\n") is False
    assert cgroups(lines, unified__a__cgroup_events="frozen 0\n", freezer__w__freezer_state="FREEZING\n") is False


@pytest.mark.parametrize("text", ["", "0::/\n", "nonsense", ":::::\n\n0:", "0::/../..\n", "6:freezer:/gone\n"])
def test_what_cannot_be_read_is_not_told(cgroups, text):
    assert cgroups(text) is None


def test_a_running_process_stands_nowhere():
    assert freezer.frozen(os.getpid()) in (False, None)
    assert "freez" not in freezer.place(os.getpid())
    assert freezer.place(2**22 + 1) == ""
