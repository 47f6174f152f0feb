"""The broker that the other tests rely on does what they rely on."""

import subprocess

from kafka_broker import KafkaBroker


def test_a_broker_keeps_what_it_took_over_stop_and_kill(tmp_path):
    broker = KafkaBroker(tmp_path, num_partitions=1)
    with broker:
        broker.produce("kept", [f"message {i}" for i in range(100)])
        broker.stop()
        broker.start()
        broker.produce("kept", [f"message {i}" for i in range(100, 200)])
        broker.kill()
        broker.start()
        messages = broker.consume("kept")
        assert [value.decode() for *_, value in messages] == [f"message {i}" for i in range(200)]
        assert [offset for _, offset, *_ in messages] == list(range(200))


def test_keys_and_headers_come_back(kafka):
    subprocess.run(["kcat", "-b", kafka.bootstrap, "-P", "-t", "headed", "-k", "a key", "-H", "id=finance/7", "-H",
                    "tenant=finance"], input=b"value, with\x00anything", check=True)
    (_, _, key, headers, value), = kafka.consume("headed")
    assert (key, headers, value) == (b"a key", {"id": "finance/7", "tenant": "finance"}, b"value, with\x00anything")
