"""systemd/yushid.service: systemd finds nothing wrong with it, it is hardened as promised, and it fits the daemon."""

import configparser
import os
import pathlib
import re
import shutil
import subprocess

import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
UNIT = REPO / "systemd" / "yushid.service"
EXPOSURE_MAX = 1.7  # 0.2 of it so that `_audit` can name the login of who asks: ProtectProc=default


def analyze(*arguments):
    assert shutil.which("systemd-analyze"), "systemd-analyze is missing: scripts/install-deps test installs systemd"
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=120)


@pytest.fixture
def unit(tmp_path):
    """A copy that names the built binary: `verify` wants the program to exist."""
    built = pathlib.Path(os.environ.get("YUSHI_BIN", REPO / "build" / "release" / "bin")).resolve() / "yushid"
    assert os.access(built, os.X_OK), f"{built} is not built"
    text = UNIT.read_text()
    assert text.count("ExecStart=/usr/bin/yushid\n") == 1
    copy = tmp_path / "yushid.service"
    copy.write_text(text.replace("ExecStart=/usr/bin/yushid\n", f"ExecStart={built}\n"))
    return copy


def settings():
    parser = configparser.RawConfigParser(strict=False, comment_prefixes=("#",), delimiters=("=",))
    parser.optionxform = str
    parser.read_string(UNIT.read_text())
    return {name: value for section in parser.sections() for name, value in parser.items(section)}


def test_systemd_finds_nothing_wrong_with_the_unit(unit):
    said = analyze("verify", str(unit))
    assert said.returncode == 0, said.stdout + said.stderr
    about_ours = [line for line in (said.stdout + said.stderr).splitlines() if "yushid" in line]
    assert about_ours == []


def test_the_exposure_is_at_most_what_is_promised(unit):
    said = analyze("security", "--offline=true", f"--threshold={int(EXPOSURE_MAX * 10)}", "--no-pager", str(unit))
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said.stdout)
    assert exposure, said.stdout + said.stderr
    assert float(exposure[1]) <= EXPOSURE_MAX, said.stdout
    assert said.returncode == 0, said.stdout + said.stderr


def test_systemd_would_notice_a_unit_that_is_wrong(unit):
    """The first test is worth something: the same check speaks up about a program that is not there."""
    unit.write_text(re.sub(r"ExecStart=.*", "ExecStart=/nonexistent/yushid", unit.read_text()))
    said = analyze("verify", str(unit))
    assert "/nonexistent/yushid" in said.stdout + said.stderr


def test_the_unit_is_what_the_daemon_expects():
    has = settings()
    assert has["Type"] == "notify"
    assert has["WatchdogSec"]
    assert "-HUP" in has["ExecReload"]
    assert has["User"] == "yushi" and "DynamicUser" not in has
    assert has["StateDirectory"] == has["RuntimeDirectory"] == has["ConfigurationDirectory"] == "yushi"
    assert has["CapabilityBoundingSet"] == has["AmbientCapabilities"] == "CAP_NET_BIND_SERVICE"
    # It would hide the uids of those who ask, and each question is recorded with its asker.
    assert "PrivateUsers" not in has
    # Exit codes 2 (config) and 3 (store) want a person.
    assert has["RestartPreventExitStatus"].split() == ["2", "3"]
