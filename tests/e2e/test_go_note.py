"""Promise: our signed notes and proofs hold before libraries that we did not write: Go's sumdb/note and sumdb/tlog."""

import os
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("YUSHI_BIN", HERE.parents[1] / "build" / "release" / "bin"))
LEDGER_TESTS = BIN.parent / "tests" / "unit" / "ledger_tests"


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    """The Go program, built; fetches golang.org/x/mod by Go's own client when it is not there yet."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if not go:
        pytest.skip("no `go` here (scripts/install-deps test installs it): Go's judgement of our notes is not asked for")
    program = tmp_path_factory.mktemp("go") / "go_note"
    environment = {**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"}
    built = subprocess.run([go, "build", "-o", program, "."], cwd=HERE / "go_note", env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return program


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    file = tmp_path_factory.mktemp("vectors") / "vectors.json"
    written = subprocess.run([LEDGER_TESTS, "--gtest_filter=*VectorsForGo*"], env={**os.environ, "YUSHI_LEDGER_VECTORS": str(file)},
                             capture_output=True, text=True)
    assert written.returncode == 0 and file.exists(), written.stdout + written.stderr
    return file


def judge(checker, file):
    return subprocess.run([checker, file], capture_output=True, text=True)


def test_go_takes_our_note_and_all_our_proofs(checker, vectors):
    said = judge(checker, vectors)
    assert said.returncode == 0, said.stderr
    assert "1600 proofs hold" in said.stdout  # of 40 trees: 820 inclusion, 780 consistency


def test_go_refuses_them_when_one_entry_is_another(checker, vectors, tmp_path):
    text = vectors.read_text()
    assert "10.0.0.1 39 tcp" in text
    changed = tmp_path / "changed.json"
    changed.write_text(text.replace("10.0.0.1 39 tcp", "10.0.0.1 39 udp"))
    said = judge(checker, changed)
    assert said.returncode == 1
    assert "record 39 of 40" in said.stderr
