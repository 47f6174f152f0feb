"""From syslog to the SIEM's topic, with a real broker and kcat: every record, in order per key, whatever dies."""

import collections
import json
import random
import shutil
import signal
import subprocess
import time

import pytest

from kafka_broker import KafkaBroker
from senders import log_size, metric, wait, wait_size
from yushi_daemon import Daemon

HOSTS = ["web-01", "web-02", "db-01", "fw-01"]


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """Our own: it is killed."""
    with KafkaBroker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="module")
def strict_broker(tmp_path_factory):
    """Takes no batch over 100 kB."""
    with KafkaBroker(tmp_path_factory.mktemp("strict"), message_max_bytes=100_000) as running:
        yield running


def forwarder(broker, topic, kind, alerts="alerts"):
    return (f'  - {{type: kafka, brokers: "{broker.bootstrap}", topic: {topic}, alerts_topic: {topic}.{alerts}, '
            f"format: {kind}, select: \"*\"}}\n")


def line(i):
    host = HOSTS[i % len(HOSTS)]
    if i % 10 == 9:  # a message that is not UTF-8
        return f"<13>1 2026-11-01T08:00:00.{i % 1000:03}Z {host} app - - - number {i} ".encode() + "失败".encode("gb18030")
    return f"<86>1 2026-11-01T08:00:00.{i % 1000:03}Z {host} sshd 81{i % 10} - - Failed password for u{i} from 10.0.0.{i % 250} port 4242 ssh2".encode()


def delivered(daemon, forwarder_number=0):
    return metric(daemon, "yushi_forward_delivered_total", f'forwarder="{forwarder_number}"')


def lag_is_none(daemon):
    return metric(daemon, "yushi_forward_lag_records") == 0


def records_in(broker, topic, log="default", committed=False):
    return [message for message in broker.consume(topic, committed) if message[3]["id"].startswith(log + "/")]


def exactly_once(broker, topic, more=""):
    return (f'  - {{type: kafka, brokers: "{broker.bootstrap}", topic: {topic}, alerts_topic: {topic}.alerts, '
            f"checkpoints_topic: {topic}.checkpoints, delivery: exactly-once{more}}}\n")


def committed(broker, topic):
    try:
        return broker.consume(topic, committed=True)
    except RuntimeError as why:
        if "Unknown topic" not in str(why):  # it makes itself with the first message
            raise
        return []


def wait_committed(broker, topic, size):
    wait(lambda: len(set(map(index_of, committed(broker, topic)))) >= size, "for all records to be committed")


def index_of(message):
    return int(message[3]["id"].rsplit("/", 1)[1])


def check_order(messages, sent, once):
    """Each record is there; of each key, which is in one partition, the first sight of each record is in order."""
    counts = collections.Counter(map(index_of, messages))
    assert sorted(counts) == list(range(len(sent))), "a record is missing, or one is there that nobody sent"
    if once:
        assert set(counts.values()) == {1}, f"sent twice without a crash: {[i for i, n in counts.items() if n > 1][:10]}"
    last, partition_of = collections.defaultdict(lambda: -1), {}
    seen = set()
    for message in sorted(messages, key=lambda m: (m[0], m[1])):  # partition, offset
        partition, _, key, headers, _ = message
        index = index_of(message)
        host = HOSTS[index % len(HOSTS)]
        assert key == f"default/{host}".encode()
        assert partition_of.setdefault(key, partition) == partition, "a key has moved to another partition"
        assert headers["tenant"] == "default"
        if index not in seen:
            assert index > last[key], f"{key} is out of order at {index}"
            last[key] = index
            seen.add(index)


def check_ecs(message, raw):
    record = json.loads(message[4])
    assert message[3]["format"] == "ecs-json"
    assert record["event"]["id"] == message[3]["id"]
    assert record["host"]["name"] == HOSTS[index_of(message) % len(HOSTS)]
    assert record["log"]["syslog"]["priority"] == (13 if raw.startswith(b"<13>") else 86)
    if raw.startswith(b"<86>"):
        assert record["event"]["original"].encode() == raw
        assert (record["event"]["outcome"], record["event"]["dataset"]) == ("failure", "sshd")
        assert record["user"]["name"] == f"u{index_of(message)}"
        assert record["source"]["port"] == 4242
    else:
        assert "raw_base64" in record["yushi"]
    entry = message[3]["entry"].split(" ")
    # One address speaks for four hosts: what is marked so is marked in the leaf too.
    transport = "tcp+host-unconfirmed" if record.get("yushi", {}).get("host") else "tcp"
    assert entry[1:] == ["127.0.0.1", str(index_of(message)), transport] and entry[0].isdigit()


# ------------------------------------------------------------------------------------------- protobuf, read without ours


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return value, at


def protobuf(data):
    """[(number, value)]: varints as numbers, fixed64 as bytes, the rest as bytes."""
    at, out = 0, []
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 1:
            value, at = data[at:at + 8], at + 8
        else:
            assert tag & 7 == 2, f"wire type {tag & 7}"
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
            assert len(value) == length
        out.append((tag >> 3, value))
    return out


def check_protobuf(message, raw):
    assert message[3]["format"] == "protobuf"
    numbers = protobuf(message[4])
    record = dict(pair for pair in numbers if pair[0] != 6)
    # proto3 leaves out what is zero or empty.
    assert record[1] == b"default" and record.get(2, 0) == index_of(message)
    assert record[4] == raw
    assert record[3].decode().split(" ")[:4] == message[3]["entry"].split(" ")
    fields = collections.defaultdict(list)
    for number, value in numbers:
        if number == 6:
            pair = dict(protobuf(value))
            fields[pair.pop(1).decode()].append(next(iter(pair.items())))
    assert fields["host.name"] == [(2, HOSTS[index_of(message) % len(HOSTS)].encode())]
    if raw.startswith(b"<86>"):
        assert record[5] == b"sshd"
        assert fields["user.name"] == [(2, b"u%d" % index_of(message))]
        assert fields["source.port"] == [(3, 2 * 4242)]  # sint64 is zig-zag
        assert sorted(fields["event.category"]) == [(2, b"authentication")]


# ---------------------------------------------------------------------------------------------------------------- tests


def test_records_arrive_as_ecs_json_and_as_protobuf(broker, tmp_path):
    sent = [line(i) for i in range(2_000)]
    config = "forward:\n" + forwarder(broker, "both.json", "ecs-json") + forwarder(broker, "both.protobuf", "protobuf")
    with Daemon(tmp_path, config) as daemon:
        daemon.send_tcp(sent)
        wait_size(daemon, len(sent))
        wait(lambda: min(delivered(daemon, 0), delivered(daemon, 1)) >= len(sent), "for both topics to have all records")
        assert daemon.stop() == 0
    for topic, check in [("both.json", check_ecs), ("both.protobuf", check_protobuf)]:
        messages = records_in(broker, topic)
        check_order(messages, sent, once=True)
        for message in messages:
            check(message, sent[index_of(message)])


def test_alerts_arrive_in_a_topic_of_their_own(broker, tmp_path):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with Daemon(tmp_path, "forward:\n" + forwarder(broker, "alerting", "ecs-json")) as daemon:
        daemon.send_tcp([f"<30>1 {now} web-01 systemd 1 - - Stopped System Logging Service.",
                         f"<86>1 {now} web-02 usermod 911 - - add 'wang' to group 'sudo'"])
        wait_size(daemon, 2)
        raised = wait(lambda: len(o := daemon.yushi("alerts", "-o", "json").objects) >= 2 and o, "for both alerts")
        wait(lambda: metric(daemon, "yushi_forward_alerts_delivered_total") >= len(raised), "for the topic to have the alerts")
        audit = daemon.search("event.kind: alert", "--tenant", "_audit")
        assert daemon.stop() == 0
    messages = broker.consume("alerting.alerts")
    for _, _, key, headers, value in messages:
        alert = json.loads(value)
        assert key.decode() == f"default/{alert['host']['name']}" and headers["tenant"] == "default"
        (own,) = [o for o in audit if o["event"]["id"] == headers["id"]]
        assert own["yushi"]["alert"]["id"] == alert["yushi"]["alert"]["id"]
        received, source, _, transport = headers["entry"].split(" ")
        assert (source, transport) == ("yushid", "internal") and received.isdigit()
    got = [json.loads(value) for *_, value in messages]
    assert sorted(a["yushi"]["alert"]["id"] for a in got) == sorted(a["yushi"]["alert"]["id"] for a in raised)
    for alert in got:
        assert alert["event"]["kind"] == "alert"
        assert alert["rule"]["name"] and alert["yushi"]["alert"]["reason"]
        assert alert["yushi"]["alert"]["records"] in (["default/0"], ["default/1"])


def test_signed_checkpoints_go_to_a_topic_and_to_files_elsewhere(broker, tmp_path):
    """By which somebody else can hold the store to what it signed."""
    kept = tmp_path / "kept"
    kept.mkdir()
    config = (f"forward:\n  - {{type: kafka, brokers: \"{broker.bootstrap}\", topic: noted, checkpoints_topic: noted.checkpoints}}\n"
              f"checkpoints: {{files: [{kept}/notes]}}\n")
    with Daemon(tmp_path / "noted", config) as daemon:
        daemon.send_tcp(line(i) for i in range(20))
        daemon.wait_records(20)
        note = daemon.yushi("checkpoint", "default").text
        wait(lambda: any(value.decode() == note for *_, value in broker.consume("noted.checkpoints")), "the note of `default` in Kafka")
        of_log = {headers["id"]: value.decode() for _, _, _, headers, value in broker.consume("noted.checkpoints")}
        assert of_log["default/20"] == note
        assert any(name.startswith("_audit/") for name in of_log)
        lines = (kept / "notes").read_text().splitlines()
        assert any(words.split()[:2] == ["e2e/default", "20"] for words in lines)
        assert daemon.yushi("verify", "--notes", kept / "notes").code == 0
        assert daemon.stop() == 0
    # A note that this node did not sign is told, whoever holds it.
    shorter = (kept / "notes").read_text().replace("e2e/default 20 ", "e2e/default 2000 ")
    (kept / "forged").write_text(shorter)
    with daemon:
        answer = daemon.yushi("verify", "--notes", kept / "forged")
        assert answer.code == 4 and "default" in answer.text, answer.text


def test_of_two_forwarders_one_sends_the_alerts(broker, tmp_path):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    config = "forward:\n" + "".join(f'  - {{type: kafka, brokers: "{broker.bootstrap}", topic: {topic}}}\n' for topic in ("one", "two"))
    with Daemon(tmp_path, config) as daemon:
        daemon.send_tcp([f"<30>1 {now} web-01 systemd 1 - - Stopped System Logging Service."])
        wait_size(daemon, 1)
        (raised,) = wait(lambda: daemon.yushi("alerts", "-o", "json").objects, "for the alert")
        wait(lambda: min(delivered(daemon, 0), delivered(daemon, 1)) >= 1, "for both topics to have the record")
        wait(lambda: metric(daemon, "yushi_forward_alerts_delivered_total") >= 1, "for the topic to have the alert")
        assert daemon.stop() == 0
    (got,) = [json.loads(value) for *_, value in broker.consume("yushi.alerts")]
    assert got["yushi"]["alert"]["id"] == raised["yushi"]["alert"]["id"]


@pytest.mark.parametrize("large", [[0], [0, 1, 2, 3], [500, 501, 3_000], [0, 1_000, 1_001, 5_999]])
@pytest.mark.parametrize("once", [False, True], ids=["at-least-once", "exactly-once"])
def test_what_the_broker_finds_too_large_arrives_shortened_in_its_place(strict_broker, tmp_path, large, once, shows_loss):
    """Random digits, so that compression does not make room."""
    chance = random.Random(sum(large))
    sent = [line(i) + b" " + chance.randbytes(50).hex().encode() for i in range(6_000)]
    for i in large:
        sent[i] = line(i)[:60] + chance.randbytes(200_000).hex().encode()
    topic = ("once." if once else "large.") + ".".join(map(str, large))
    config = exactly_once(strict_broker, topic) if once else forwarder(strict_broker, topic, "ecs-json")
    with Daemon(tmp_path, "limits: {message_bytes: 1MiB}\nforward:\n" + config) as daemon:
        daemon.send_tcp(sent)
        wait_size(daemon, len(sent))
        wait(lambda: delivered(daemon) >= len(sent) and lag_is_none(daemon), "for all records to arrive")
        assert daemon.stop() == 0
    messages = records_in(strict_broker, topic, committed=once)
    check_order(messages, sent, once=once)
    for message in messages:
        assert (index_of(message) in large) == json.loads(message[4]).get("yushi", {}).get("truncated", False)
    shows_loss("kafka-too-large")


def test_a_broker_that_takes_only_small_batches_gets_all_in_order(tmp_path):
    chance = random.Random(1)
    sent = [line(i) + b" " + chance.randbytes(50).hex().encode() for i in range(6_000)]
    with KafkaBroker(tmp_path / "broker", message_max_bytes=20_000) as broker, \
            Daemon(tmp_path, "forward:\n" + forwarder(broker, "small", "ecs-json")) as daemon:
        daemon.send_tcp(sent)
        wait_size(daemon, len(sent))
        wait(lambda: delivered(daemon) >= len(sent) and lag_is_none(daemon), "for all records to arrive")
        assert daemon.stop() == 0
        check_order(records_in(broker, "small"), sent, once=False)


def test_a_broker_that_is_away_stops_nothing_and_misses_nothing(broker, tmp_path, shows_loss):
    sent = [line(i) for i in range(6_000)]
    with Daemon(tmp_path, "forward:\n" + forwarder(broker, "away", "ecs-json")) as daemon:
        daemon.send_tcp(sent[:2_000])
        wait(lambda: delivered(daemon) >= 1_000, "for the first records to arrive")
        broker.stop()
        try:
            daemon.send_tcp(sent[2_000:4_000])
            wait_size(daemon, 4_000)  # ingest does not wait for Kafka
            assert len(daemon.search("u3000")) == 1
        finally:
            broker.start()
        daemon.send_tcp(sent[4_000:])
        wait_size(daemon, len(sent))
        wait(lambda: delivered(daemon) >= len(sent) and lag_is_none(daemon), "for all records to arrive")
        assert daemon.stop() == 0
    check_order(records_in(broker, "away"), sent, once=True)
    shows_loss("kafka-away")


def test_a_broker_that_is_killed_misses_nothing(broker, tmp_path, shows_loss):
    sent = [line(i) for i in range(6_000)]
    with Daemon(tmp_path, "forward:\n" + forwarder(broker, "killed", "ecs-json")) as daemon:
        daemon.send_tcp(sent[:2_000])
        wait(lambda: delivered(daemon) >= 500, "for the first records to arrive")
        daemon.send_tcp(sent[2_000:4_000])
        broker.kill()
        try:
            daemon.send_tcp(sent[4_000:])
            wait_size(daemon, len(sent))
        finally:
            broker.start()
        wait(lambda: lag_is_none(daemon), "for all records to arrive")
        assert daemon.stop() == 0
    check_order(records_in(broker, "killed"), sent, once=False)
    shows_loss("kafka-broker-killed")


def test_a_yushid_that_is_killed_sends_every_record_and_the_id_tells_doubles(broker, tmp_path, shows_loss):
    sent, size = [line(i) for i in range(9_000)], 0
    with Daemon(tmp_path, "forward:\n" + forwarder(broker, "crashed", "ecs-json")) as daemon:
        for part in range(3):
            daemon.send_tcp(sent[part * 3_000:(part + 1) * 3_000])
            size += 3_000
            wait_size(daemon, size)  # committed: from here on it must arrive
            daemon.kill()
            daemon.start()
            assert log_size(daemon) == size
        wait(lambda: lag_is_none(daemon), "for all records to arrive")
        wait(lambda: len(set(map(index_of, records_in(broker, "crashed")))) == size, "for all records to be in the topic")
        assert daemon.stop() == 0
    messages = records_in(broker, "crashed")
    check_order(messages, sent, once=False)
    values = {}
    for message in messages:  # a double is the same record
        assert values.setdefault(index_of(message), message[4]) == message[4]
    shows_loss("kafka-yushid-killed")


def test_exactly_once_shows_each_record_once_whatever_dies(broker, tmp_path, shows_loss):
    """yushid is killed under load at any moment, and the broker in between; who reads committed messages sees no seam."""
    dice, sent = random.Random(5), []
    with Daemon(tmp_path, "forward:\n" + exactly_once(broker, "once")) as daemon:
        for part in range(6):
            more = [line(len(sent) + i) for i in range(3_000)]
            sent += more
            daemon.send_tcp(more)
            wait_size(daemon, len(sent))
            if part == 2:
                broker.kill()
                broker.start()
            elif part == 4:
                broker.stop()
                broker.start()
            time.sleep(dice.uniform(0, 1.5))
            daemon.kill()
            daemon.start()
        wait(lambda: lag_is_none(daemon), "for all records to be committed")
        wait_committed(broker, "once", len(sent))
        assert daemon.stop() == 0
    check_order(records_in(broker, "once", committed=True), sent, once=True)
    shows_loss("kafka-exactly-once")


def test_exactly_once_takes_the_cursor_from_kafka_and_the_stores_for_a_hint(broker, tmp_path):
    """A copy of the store knows less than Kafka does; another store under the same name has nothing to do with it."""
    config = "forward:\n" + exactly_once(broker, "hinted", ", cursors_topic: hinted.cursors")
    with Daemon(tmp_path / "a", config) as daemon:
        daemon.send_tcp([line(i) for i in range(500)])
        wait_size(daemon, 500)
        wait_committed(broker, "hinted", 500)
        assert daemon.stop() == 0
        shutil.copytree(daemon.data, tmp_path / "copy")  # it does not know of what comes next
        daemon.start()
        daemon.send_tcp([line(i) for i in range(500, 600)])
        wait_size(daemon, 600)
        wait_committed(broker, "hinted", 600)
        assert daemon.stop() == 0
        shutil.rmtree(daemon.data)
        shutil.move(tmp_path / "copy", daemon.data)
        daemon.start()
        daemon.send_tcp([line(i) for i in range(500, 700)])  # as if the same had come again
        wait_size(daemon, 700)
        wait_committed(broker, "hinted", 700)
        assert daemon.stop() == 0
        check_order(records_in(broker, "hinted", committed=True), [line(i) for i in range(700)], once=True)
        shutil.rmtree(daemon.data)  # a new store begins at its own beginning
        daemon.start()
        daemon.send_tcp([line(i) for i in range(50)])
        wait_size(daemon, 50)
        wait(lambda: lag_is_none(daemon), "for the new store's records")
        assert daemon.stop() == 0
    assert len(records_in(broker, "hinted", committed=True)) == 750


def test_exactly_once_waits_for_what_others_hold_open_before_its_own_cursor(broker, tmp_path):
    """Another sender's transaction is open in the topic of cursors: what was committed behind it is not seen yet."""
    with Daemon(tmp_path, "forward:\n" + exactly_once(broker, "behind", ", cursors_topic: shared.cursors")) as daemon:
        daemon.send_tcp([line(i) for i in range(500)])
        wait_size(daemon, 500)
        wait(lambda: lag_is_none(daemon), "for the first records to be committed")
        other = subprocess.Popen(["kcat", "-b", broker.bootstrap, "-P", "-t", "shared.cursors", "-p", "0", "-K", ":", "-X",
                                  "transactional.id=other"], stdin=subprocess.PIPE)
        try:
            before = len(broker.consume("shared.cursors"))
            other.stdin.write(b"other:x\n" * 20_000)  # kcat sends when it has read enough, and commits at the end
            other.stdin.flush()
            wait(lambda: len(broker.consume("shared.cursors")) > before, "for the other's messages")
            daemon.send_tcp([line(i) for i in range(500, 1_000)])
            wait_size(daemon, 1_000)
            wait(lambda: lag_is_none(daemon), "for the next records to be committed")
            daemon.kill()
            daemon.start()
            time.sleep(3)  # it must not go on at the cursor of before
            assert metric(daemon, "yushi_forward_delivered_total") == 0
        finally:
            other.stdin.close()
            assert other.wait(60) == 0
        daemon.send_tcp([line(i) for i in range(1_000, 1_500)])
        wait_size(daemon, 1_500)
        wait_committed(broker, "behind", 1_500)
        assert daemon.stop() == 0
    check_order(records_in(broker, "behind", committed=True), [line(i) for i in range(1_500)], once=True)


def test_exactly_once_outlives_an_outage_longer_than_a_transaction_may_be(broker, tmp_path):
    sent = [line(i) for i in range(9_000)]
    with Daemon(tmp_path, "forward:\n" + exactly_once(broker, "long")) as daemon:
        daemon.send_tcp(sent[:3_000])
        wait(lambda: delivered(daemon) >= 500, "for the first records to arrive")
        daemon.send_tcp(sent[3_000:6_000])
        broker.kill()
        try:
            wait_size(daemon, 6_000)
            time.sleep(65)  # transaction.timeout.ms is 60 s
            assert metric(daemon, "yushi_forward_up") == 0
        finally:
            broker.start()
        daemon.send_tcp(sent[6_000:])
        wait_size(daemon, len(sent))
        wait(lambda: lag_is_none(daemon), "for all records to be committed")
        wait_committed(broker, "long", len(sent))
        assert daemon.stop() == 0
    check_order(records_in(broker, "long", committed=True), sent, once=True)


def test_a_reload_makes_a_forwarder_exactly_once_and_it_goes_on_at_its_cursor(broker, tmp_path):
    with Daemon(tmp_path, "forward:\n" + forwarder(broker, "reloaded", "ecs-json")) as daemon:
        daemon.send_tcp([line(i) for i in range(500)])
        wait_size(daemon, 500)
        wait(lambda: lag_is_none(daemon), "for the first records")
        text = daemon.config.read_text()
        assert forwarder(broker, "reloaded", "ecs-json") in text
        daemon.config.write_text(text.replace(forwarder(broker, "reloaded", "ecs-json"), exactly_once(broker, "reloaded")))
        daemon.process.send_signal(signal.SIGHUP)
        wait(lambda: "/reloaded is changed" in (daemon.folder / "yushid.log").read_text(), "for the reload")
        daemon.send_tcp([line(i) for i in range(500, 1_000)])
        wait_size(daemon, 1_000)
        wait(lambda: lag_is_none(daemon), "for the next records")
        daemon.kill()
        daemon.start()
        daemon.send_tcp([line(i) for i in range(1_000, 1_500)])
        wait_size(daemon, 1_500)
        wait_committed(broker, "reloaded", 1_500)
        assert daemon.stop() == 0
    check_order(records_in(broker, "reloaded", committed=True), [line(i) for i in range(1_500)], once=True)


def test_exactly_once_carries_alerts_and_checkpoints_too(broker, tmp_path):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with Daemon(tmp_path, "forward:\n" + exactly_once(broker, "told")) as daemon:
        daemon.send_tcp([f"<30>1 {now} web-01 systemd 1 - - Stopped System Logging Service.",
                         f"<86>1 {now} web-02 usermod 911 - - add 'wang' to group 'sudo'"])
        wait_size(daemon, 2)
        raised = wait(lambda: len(o := daemon.yushi("alerts", "-o", "json").objects) >= 2 and o, "for both alerts")
        note = daemon.yushi("checkpoint", "default").text
        wait(lambda: len(committed(broker, "told.alerts")) >= len(raised), "for the alerts")
        wait(lambda: any(value.decode() == note for *_, value in committed(broker, "told.checkpoints")), "for the note")
        daemon.kill()
        daemon.start()
        wait(lambda: lag_is_none(daemon), "for it to go on")
        assert daemon.stop() == 0
    got = [json.loads(value)["yushi"]["alert"]["id"] for *_, value in broker.consume("told.alerts", committed=True)]
    assert sorted(got) == sorted(alert["yushi"]["alert"]["id"] for alert in raised)


def test_a_topic_of_cursors_that_forgets_is_refused(broker, tmp_path):
    broker.produce("forgetful", ["makes itself, with the broker's settings"])
    with Daemon(tmp_path, "forward:\n" + exactly_once(broker, "careful", ", cursors_topic: forgetful")) as daemon:
        wait(lambda: "cleanup.policy=delete" in daemon.status()["forwarders"][0]["last_error"], "for the refusal")
        assert daemon.stop() == 0


def test_the_cursor_stands_still_over_a_clean_restart(broker, tmp_path):
    sent = [line(i) for i in range(1_000)]
    with Daemon(tmp_path, "forward:\n" + forwarder(broker, "again", "ecs-json")) as daemon:
        daemon.send_tcp(sent[:500])
        wait(lambda: delivered(daemon) >= 500, "for the first records to arrive")
        assert daemon.stop() == 0
        daemon.start()
        daemon.send_tcp(sent[500:])
        wait(lambda: delivered(daemon) >= 500, "for the other records to arrive")
        assert daemon.stop() == 0
    check_order(records_in(broker, "again"), sent, once=True)


def test_tls_and_sasl_pass_through(tmp_path):
    with KafkaBroker(tmp_path, secure=True) as broker:
        def config(ca, password):
            return (f'forward:\n  - {{type: kafka, brokers: "{broker.secure_bootstrap}", topic: secure, properties: '
                    f"{{security.protocol: sasl_ssl, ssl.ca.location: {ca}, sasl.mechanism: PLAIN, sasl.username: yushi, "
                    f"sasl.password: {password}}}}}\n")

        with Daemon(tmp_path / "wrong", config(broker.ca, "guessed")) as daemon:
            daemon.send_tcp([line(0)])
            wait_size(daemon, 1)
            wait(lambda: metric(daemon, "yushi_forward_errors_total") > 0, "the broker to refuse the password")
            assert delivered(daemon) == 0 and daemon.stop() == 0
        with Daemon(tmp_path / "right", config(broker.ca, "secret")) as daemon:
            sent = [line(i) for i in range(100)]
            daemon.send_tcp(sent)
            wait(lambda: delivered(daemon) == len(sent), "delivery over TLS")
            check_order(records_in(broker, "secure"), sent, once=True)


def test_an_outage_and_its_end_are_told_once_each(tmp_path):
    """Nothing is sent meanwhile: an idle connection tells nothing of its broker."""
    with KafkaBroker(tmp_path / "broker") as broker, Daemon(tmp_path / "d", "forward:\n" + forwarder(broker, "outage", "raw")) as daemon:
        daemon.send_tcp([line(0)])
        wait(lambda: delivered(daemon) == 1 and metric(daemon, "yushi_forward_up") == 1, "for the broker")
        assert daemon.yushi("status").code == 0
        broker.kill()
        told = lambda rule: [each for each in daemon.yushi("alerts", "-o", "json").objects if each["rule"]["id"] == "yushid.forwarder-" + rule]
        wait(lambda: told("away"), "for the outage to be told")
        assert metric(daemon, "yushi_forward_up") == 0 and daemon.yushi("status").code == 1
        broker.start()
        wait(lambda: told("back"), "for its end to be told")
        assert (len(told("away")), len(told("back"))) == (1, 1)
        (said,) = daemon.status()["forwarders"]
        assert said["up"] is True and said["last_error"] == "" and "away_since" not in said
        assert daemon.yushi("status").code == 0
