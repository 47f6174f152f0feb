"""Fixtures of the end-to-end tests: real binaries, a real broker, loopback only."""

import pytest

from kafka_broker import KafkaBroker
from loss import shows_loss  # noqa: F401, a fixture


@pytest.fixture(scope="session")
def kafka(tmp_path_factory):
    """One broker for all tests of a run that do not stop it; each uses topics of its own."""
    with KafkaBroker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker
