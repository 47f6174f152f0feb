"""Crash tests use what the end-to-end tests have."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from loss import shows_loss  # noqa: E402, F401, a fixture
