"""Rows of docs/loss.md: the test that shows one prints it."""

import os
import pathlib

import pytest

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/loss.md"


def rows():
    """Their names, and the cells of each: failure, most, counted, shown by."""
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in cells if row[0] != "row"}


@pytest.fixture
def shows_loss(capsys):
    """Says which row the running test shows; it fails where the row names another test."""
    def shows(name):
        failure, most, counted, test = rows()[name]
        assert test.strip("`") == os.environ["PYTEST_CURRENT_TEST"].split(" ")[0].split("[")[0], f"docs/loss.md: {name}"
        with capsys.disabled():
            print(f"\nloss {name} | {failure} | lost at most: {most} | counted: {counted}")
    return shows
