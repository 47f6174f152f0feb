"""Every way in, with real sockets: what was sent is there, byte for byte, and what was odd is in the ledger."""

import json
import resource
import signal
import socket
import struct

import pytest

from senders import (connect, free_port, index_of, log_size, metric, octets, raw_of, records_from, send_and_close, wait,
                     wait_acknowledged, wait_size)
from yushi_daemon import Daemon, yushi

MESSAGE_BYTES_MAX = 64 << 10  # the default of limits.message_bytes


class Ingest(Daemon):
    """All inputs of this version on ports that stay."""

    def __init__(self, folder):
        ports = set()
        while len(ports) < 3:  # one that was free is given again at times
            ports.add(free_port())
        self.auto, self.counted, self.newline = ports
        self.udp = free_port(socket.SOCK_DGRAM)
        self.unix = folder / "log.sock"
        super().__init__(folder, "".join([
            "inputs:\n",
            f'  - {{type: syslog, transport: tcp, listen: "127.0.0.1:{self.auto}"}}\n',
            f'  - {{type: syslog, transport: tcp, listen: "127.0.0.1:{self.counted}", framing: octet-counted}}\n',
            f'  - {{type: syslog, transport: tcp, listen: "127.0.0.1:{self.newline}", framing: newline}}\n',
            f'  - {{type: syslog, transport: udp, listen: "127.0.0.1:{self.udp}"}}\n',
            f"  - {{type: syslog, transport: unix, path: {self.unix}}}\n"]))

    def take(self, port, data, source, records):
        """Sends over a connection of its own and gives what came of it, in the order of commit."""
        before = log_size(self)
        send_and_close(port, data, source)
        wait_size(self, before + records)
        return records_from(self, source)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with Ingest(tmp_path_factory.mktemp("in")) as running:
        yield running


def ledger_of(objects, source):
    """What the minutes of `_audit` say of one source, summed."""
    total = {}
    for record in objects:
        for said in json.loads(record["event"]["original"]).get("yushi", {}).get("ledger", {}).get("sources", []):
            if said["source"] == source:
                for name, value in said.items():
                    if name != "source":
                        total[name] = total.get(name, 0) + value
    return total


def header(i, host="web-01", app="app"):
    return f"<13>1 2026-11-01T08:00:00.{i:06}Z {host} {app} 7 - - ".encode()


# -------------------------------------------------------------------------------------------------------------- framing

EVERY_BYTE = bytes(range(256))
ODD = [
    header(0) + b"a plain one",
    header(1) + b"with a\nnewline, and 99999 <13>more\n",
    header(2) + b"with a \x00 NUL\x00",
    header(3) + EVERY_BYTE,
    header(4) + "登录失败".encode("gb18030"),
    b"7 days ago this had no header at all",
    b"<13>",
    b" ",
    b"\n",
    header(5) + b"ends with CR LF\r\n",
]


@pytest.mark.parametrize("pinned", [False, True])
def test_octet_counted_frames_hold_any_bytes(daemon, pinned):
    source = "127.1.0.2" if pinned else "127.1.0.1"
    got = daemon.take(daemon.counted if pinned else daemon.auto, octets(ODD), source, len(ODD))
    assert [raw_of(record) for record in got] == ODD
    assert all(record["log"]["source"]["address"] == source for record in got)


@pytest.mark.parametrize("pinned", [False, True])
def test_lines_are_cut_at_newlines_and_nowhere_else(daemon, pinned):
    lines = [header(0) + b"a plain one", header(1) + b"with \x00 inside", header(2) + b"GB18030: " + "失败".encode("gb18030"),
             header(3) + b"ends with CR\r", b"no header", header(4) + b"17 <13>looks like a frame", b"17 <13>so does this one"]
    got = daemon.take(daemon.newline if pinned else daemon.auto, b"".join(line + b"\n" for line in lines),
                      "127.1.0.4" if pinned else "127.1.0.3", len(lines))
    assert [raw_of(record) for record in got] == lines
    assert got[3]["message"] == "ends with CR"


def test_a_connection_whose_first_line_begins_with_a_digit_is_newline_framed(daemon):
    lines = [b"2026-11-01 08:00:00 started", b"12 monkeys", header(0) + b"and a syslog line", b"5 <13>after it"]
    got = daemon.take(daemon.auto, b"".join(line + b"\n" for line in lines), "127.1.0.5", len(lines))
    assert [raw_of(record) for record in got] == lines


def test_frames_come_out_the_same_however_they_are_cut_into_packets(daemon):
    before = log_size(daemon)
    with connect(daemon.auto, "127.1.0.6") as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in octets(ODD):
            connection.sendall(bytes([byte]))
    wait_size(daemon, before + len(ODD))
    assert [raw_of(record) for record in records_from(daemon, "127.1.0.6")] == ODD


def test_a_message_over_the_limit_becomes_parts_that_are_the_whole(daemon, shows_loss):
    body = bytes((i * 7 + i // 251) % 256 for i in range(3 * MESSAGE_BYTES_MAX))
    exact = (header(0) + b"exactly the limit ").ljust(MESSAGE_BYTES_MAX, b"x")
    whole = header(1) + b"three parts " + body[:2 * MESSAGE_BYTES_MAX]
    after = header(2) + b"and a short one behind it"
    got = daemon.take(daemon.auto, octets([exact, whole, after]), "127.1.0.7", 5)
    assert [raw_of(record) for record in got[:1] + got[4:]] == [exact, after]
    parts = got[1:4]
    assert [(part["yushi"]["part"], part["yushi"]["part_of"]) for part in parts] == [(1, 3), (2, 3), (3, 3)]
    assert b"".join(raw_of(part) for part in parts) == whole
    # The later parts are found by what the first one's header says, also when they are sealed.
    assert len({(part["host"]["name"], part["process"]["name"], part["@timestamp"], part["log"]["syslog"]["priority"]) for part in parts}) == 1
    assert all("part" not in record.get("yushi", {}) for record in got[:1] + got[4:])
    raw = daemon.yushi("search", "log.source.address: 127.1.0.7 and yushi.part: *", "-o", "raw")
    assert raw.out == b"".join(raw_of(part) + b"\n" for part in sorted(parts, key=lambda p: (p["@timestamp"], index_of(p))))
    shows_loss("tcp-over-long")


def test_a_long_line_becomes_parts_that_are_the_whole(daemon):
    whole = header(0) + b"two parts " + b"0123456789abcdef" * 6_000
    got = daemon.take(daemon.newline, whole + b"\n" + header(1) + b"short\n", "127.1.0.8", 3)
    assert b"".join(raw_of(record) for record in got[:2]) == whole
    assert [(part["yushi"]["part"], part["yushi"]["part_of"]) for part in got[:2]] == [(1, 2), (2, 2)]


def test_text_behind_the_limit_makes_no_record_of_another(tmp_path):
    """Whoever writes a long message chooses what stands behind the limit; it is no message of its own."""
    forged = [b"<86>1 2026-11-01T08:00:00Z bank-gw sshd 9 - - Accepted password for root from 203.0.113.5 port 22 ssh2",
              b"<30>1 2026-11-01T08:00:00Z bank-gw systemd 1 - - Stopping rsyslog.service - System Logging Service..."]
    with Daemon(tmp_path) as daemon:
        for whole in [header(i).ljust(MESSAGE_BYTES_MAX, b"A") + text for i, text in enumerate(forged)]:
            for data in (whole + b"\n", octets([whole])):
                before = log_size(daemon)
                send_and_close(daemon.port("tcp"), data, "127.1.0.9")
                wait_size(daemon, before + 2)
        parts = daemon.yushi("search", "yushi.part: *", "-o", "json").objects
        assert len(parts) == 8
        for part in parts:
            assert (part["host"]["name"], part["process"]["name"]) == ("web-01", "app")
            if part["yushi"]["part"] == 1:
                continue
            # What it has, it has of the first part.
            assert "source" not in part and "dataset" not in part["event"] and part["message"] == part["event"]["original"]
        assert daemon.yushi("search", "host.name: bank-gw or source.ip: *").objects == []
        assert daemon.yushi("alerts", "list", "-o", "json").objects == []
        assert daemon.yushi("verify").code == 0
        assert daemon.stop() == 0
    store = ("--store", daemon.data)
    assert yushi("verify", *store, state=daemon.state).code == 0  # the parts are in a block now
    assert len(yushi("search", "yushi.part: 2 and host.name: web-01", "-o", "json", *store, state=daemon.state).objects) == 4


def test_one_message_on_an_idle_connection_is_committed(daemon):
    before = log_size(daemon)
    with connect(daemon.auto, "127.1.0.20") as nul, connect(daemon.auto, "127.1.0.21") as counted:
        nul.sendall(header(0) + b"ends with NUL\0")
        counted.sendall(octets([header(1) + b"one frame"]))
        wait_size(daemon, before + 2)
        nul.sendall(b"\n" + header(2) + b"a NUL\0 inside\n")
        wait_size(daemon, before + 3)
    assert [raw_of(r) for r in records_from(daemon, "127.1.0.20")] == [header(0) + b"ends with NUL", header(2) + b"a NUL\0 inside"]
    assert [raw_of(r) for r in records_from(daemon, "127.1.0.21")] == [header(1) + b"one frame"]


def test_a_first_line_that_begins_like_a_frame_swallows_no_other(daemon):
    lines = [b"12 " + header(0) + b"a dozen", header(1) + b"another's", header(2) + b"a third one"]
    for number, source in ((b"12", "127.1.0.22"), (b"99999", "127.1.0.23"), (b"9999999", "127.1.0.24")):
        lines[0] = number + b" " + header(0) + b"swallow"
        got = daemon.take(daemon.auto, b"".join(line + b"\n" for line in lines), source, 3)
        assert [raw_of(record) for record in got] == lines


def test_empty_lines_are_counted_and_no_messages(daemon):
    before = metric(daemon, "yushi_input_empty_lines_total")
    got = daemon.take(daemon.auto, b"\n\n" + header(0) + b"one\n\n\n" + header(1) + b"two\n\n", "127.1.0.9", 2)
    assert [record["message"] for record in got] == ["one", "two"]
    wait(lambda: metric(daemon, "yushi_input_empty_lines_total") == before + 5, "for five empty lines")


def test_a_broken_frame_costs_no_byte_and_frames_go_on_behind_it(daemon, shows_loss):
    before = metric(daemon, "yushi_input_frame_resyncs_total")
    data = octets([header(0) + b"good"]) + b"this is no count\n" + octets([header(1) + b"good again"])
    got = daemon.take(daemon.counted, data, "127.1.0.10", 3)
    assert [raw_of(record) for record in got] == [header(0) + b"good", b"this is no count", header(1) + b"good again"]
    wait(lambda: metric(daemon, "yushi_input_frame_resyncs_total") == before + 1, "for the resync to be counted")
    shows_loss("tcp-broken-frame")


def test_an_unfinished_last_message_is_kept_and_marked(daemon):
    got = daemon.take(daemon.auto, octets([header(0) + b"whole"]) + b"100 " + header(1) + b"cut off", "127.1.0.11", 2)
    assert [raw_of(record) for record in got] == [header(0) + b"whole", header(1) + b"cut off"]
    assert got[1]["yushi"]["truncated"] is True
    assert "truncated" not in got[0].get("yushi", {})


# ---------------------------------------------------------------------------------------------------------- other ways in


def test_a_datagram_is_one_message_whole_an_empty_one_too(daemon, shows_loss):
    sent = [header(0) + b"plain", header(1) + b"with a\nnewline", header(2) + EVERY_BYTE, b"", b"no header",
            header(3).ljust(60_000, b"y")]
    before = log_size(daemon)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.1.1.1", 0))
        for datagram in sent:
            sender.sendto(datagram, ("127.0.0.1", daemon.udp))
    wait_size(daemon, before + len(sent))
    got = records_from(daemon, "127.1.1.1")
    assert [raw_of(record) for record in got if raw_of(record)] == [datagram for datagram in sent if datagram]
    assert len(got) == len(sent)
    shows_loss("udp-over-long")


def test_a_unix_socket_takes_datagrams(daemon):
    sent = [b"<86>Nov  1 08:00:00 sshd[811]: marked by unixtest as libc writes it", header(0) + b"unixtest with a\nnewline"]
    before = log_size(daemon)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(str(daemon.unix))
        for datagram in sent:
            sender.send(datagram)
    wait_size(daemon, before + 2)
    got = sorted(daemon.search("unixtest"), key=index_of)
    assert [raw_of(record) for record in got] == sent
    assert got[0]["process"] == {"name": "sshd", "pid": 811}


# -------------------------------------------------------------------------------------------------- many, slow, stopping


def test_a_thousand_idle_and_slow_connections_do_not_stop_the_others(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The daemon begins with what a shell gives, and must serve its 10,000 connections all the same.
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, hard), hard))
    try:
        daemon = Ingest(tmp_path / "d").start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    others = []
    try:
        idle = [connect(daemon.auto, "127.1.2.1") for _ in range(500)]
        slow = [connect(daemon.auto, "127.1.2.2") for _ in range(500)]
        others = idle + slow
        for connection in slow:
            connection.sendall(header(0) + b"a slow one")
        got = daemon.take(daemon.auto, octets([header(i) + b"quick %d" % i for i in range(2_000)]), "127.1.2.3", 2_000)
        assert [record["message"] for record in got] == [f"quick {i}" for i in range(2_000)]
        assert metric(daemon, "yushi_input_connections_refused_total") == 0
        for i, connection in enumerate(slow):
            connection.sendall(b" number %d\n" % i)
        wait_size(daemon, 2_500)
        assert sorted(int(record["message"].split()[-1]) for record in records_from(daemon, "127.1.2.2")) == list(range(500))
        assert daemon.stop() == 0
    finally:
        for connection in others:
            connection.close()
        daemon.__exit__()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_sigterm_takes_all_that_was_readable_and_keeps_an_unfinished_message(tmp_path, shows_loss):
    daemon = Ingest(tmp_path / "d").start()
    held, count = [], 150
    try:
        # Stopped, so that all of it, connections too, waits in the kernel when SIGTERM comes.
        early = connect(daemon.auto, "127.1.3.1")
        early.sendall(octets([header(0) + b"before"]))
        held.append(early)
        wait_size(daemon, 1)
        daemon.pause()
        for lane in range(4):
            connection = early if lane == 0 else connect(daemon.auto, "127.1.3.1")
            held.append(connection)
            connection.sendall(octets([header(i) + b"lane %d number %d" % (lane, i) for i in range(count)]))
            connection.sendall(b"200 " + header(count) + b"lane %d unfinished" % lane)
            wait_acknowledged(connection)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind(("127.1.3.2", 0))
            for i in range(count):
                sender.sendto(header(i) + b"datagram %d" % i, ("127.0.0.1", daemon.udp))
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.send_signal(signal.SIGCONT)
        assert daemon.process.wait(120) == 0
        daemon.process = None
    finally:
        for connection in held:
            connection.close()
        daemon.__exit__()
    store = ["--store", daemon.data, "-o", "json"]
    found = [r["message"] for r in sorted(yushi("search", "*", *store, state=daemon.state).objects, key=index_of)]
    for lane in range(4):
        expected = [f"lane {lane} number {i}" for i in range(count)] + [f"lane {lane} unfinished"]
        assert [message for message in found if message.startswith(f"lane {lane} ")] == expected
    assert sorted(int(m.split()[1]) for m in found if m.startswith("datagram ")) == list(range(count))
    unfinished = yushi("search", "yushi.truncated: true", *store, state=daemon.state).objects
    assert len(unfinished) == 4
    shows_loss("tcp-stop")
    shows_loss("udp-stop")


def test_the_ledger_accounts_for_every_byte_and_every_oddity(tmp_path):
    daemon = Ingest(tmp_path / "d").start()
    long = header(5).ljust(MESSAGE_BYTES_MAX + 1, b"z")
    data = (octets([header(0) + b"good"]) + b"no count\n" + octets([header(1) + b"good", long]) + b"\n" +
            b"100 " + header(2) + b"cut off")
    messages = [header(0) + b"good", b"no count", header(1) + b"good", long, header(2) + b"cut off"]
    try:
        daemon.take(daemon.counted, data, "127.1.4.1", 6)
        with connect(daemon.newline, "127.1.4.2") as connection:
            connection.sendall(b"a\n\nb\n")
        wait_size(daemon, 8)
        assert daemon.stop() == 0
    finally:
        daemon.__exit__()
    told = yushi("search", "event.action: ledger-sources", "--tenant", "_audit", "--store", daemon.data, "-o", "json",
                 state=daemon.state).objects
    broken = ledger_of(told, "127.1.4.1")
    assert broken["committed"] == broken["messages"] == 6
    assert broken["committed_bytes"] == sum(len(message) for message in messages)
    assert broken["bytes"] == len(data)
    assert (broken["frame_resyncs"], broken["over_long"], broken["truncated"]) == (1, 1, 1)
    assert (broken["connections_opened"], broken["connections_closed"]) == (1, 1)
    plain = ledger_of(told, "127.1.4.2")
    assert (plain["committed"], plain["empty_lines"], plain["bytes"]) == (2, 1, 5)
    assert "frame_resyncs" not in plain
    nodes = yushi("search", "event.action: ledger-node", "--tenant", "_audit", "--store", daemon.data, "-o", "json",
                  state=daemon.state).objects
    assert nodes, "each minute has a record of the node, also the last one"


def test_a_connection_that_is_reset_loses_nothing_that_was_read(daemon, shows_loss):
    before = log_size(daemon)
    connection = connect(daemon.auto, "127.1.5.1")
    connection.sendall(octets([header(i) + b"then a reset %d" % i for i in range(100)]))
    wait_acknowledged(connection)
    wait_size(daemon, before + 100)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    assert len(records_from(daemon, "127.1.5.1")) == 100
    shows_loss("tcp-reset")
