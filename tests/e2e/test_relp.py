"""RELP: what is acknowledged is on the disk, as rsyslog's own client and one by hand see it."""

import shutil
import signal
import socket
import subprocess

import pytest

from certificates import Authority
from senders import free_port, log_size, metric, wait, wait_size
from test_senders import check_forwarded, ended, feed, lines_of
from yushi_daemon import Daemon

RELP = 'inputs:\n  - {type: relp, listen: "127.0.0.1:0"}\n'


class Client:
    """A RELP client by hand."""

    def __init__(self, daemon, source="127.0.0.1", port=None):
        self.socket = socket.create_connection(("127.0.0.1", port or daemon.port("relp")), source_address=(source, 0), timeout=60)
        self.file = self.socket.makefile("rb")
        self.txnr = 0
        self.send(b"open", b"relp_version=0\nrelp_software=test\ncommands=syslog")
        txnr, command, data = self.receive()
        assert (txnr, command) == (1, b"rsp") and data.startswith(b"200 OK\n") and b"commands=syslog" in data

    def send(self, command, data, txnr=None):
        if txnr is None:
            self.txnr += 1
            txnr = self.txnr
        self.socket.sendall(b"%d %s %d" % (txnr, command, len(data)) + (b" " + data if data else b"") + b"\n")
        return txnr

    def receive(self):
        """One frame; None at the end."""
        head = b""
        while head.count(b" ") < 3 and not head.endswith(b"\n"):
            byte = self.file.read(1)
            if not byte:
                return None
            head += byte
        txnr, command, size = head.split()[:3]
        data = self.file.read(int(size)) if int(size) else b""
        if not head.endswith(b"\n"):
            assert self.file.read(1) == b"\n"
        return int(txnr), command, data

    def close(self):
        self.socket.close()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("relp"), RELP) as running:
        yield running


def test_each_message_is_acknowledged_in_turn_and_close_is_answered(daemon):
    client = Client(daemon, "127.0.0.2")
    messages = [b"<13>one", b"", b"<13>with\na line feed and \x00", "<13>登录".encode()]
    for message in messages:
        client.send(b"syslog", message)
    assert [client.receive() for _ in messages] == [(n + 2, b"rsp", b"200 OK") for n in range(len(messages))]
    found = sorted(daemon.search("log.source.address: 127.0.0.2"), key=lambda r: int(r["event"]["id"].rsplit("/")[-1]))
    assert [r["event"]["original"].encode() for r in found] == [b"<13>one", b"", b"<13>with\na line feed and \x00", messages[3]]
    assert {r["yushi"]["transport"] for r in found} == {"relp"}
    client.send(b"close", b"")
    assert client.receive() == (6, b"rsp", b"") and client.receive() == (0, b"serverclose", b"") and client.receive() is None


def test_a_frame_sent_again_over_one_connection_is_one_record_and_over_a_new_one_a_possible_double(daemon):
    before, doubles = log_size(daemon), metric(daemon, "yushi_input_possible_doubles_total")
    client = Client(daemon, "127.0.0.3")
    number = client.send(b"syslog", b"<13>unique")
    assert client.receive() == (number, b"rsp", b"200 OK")
    client.send(b"syslog", b"<13>unique", txnr=number)
    assert client.receive() == (number, b"rsp", b"200 OK")
    assert log_size(daemon) == before + 1
    client.close()
    again = Client(daemon, "127.0.0.3")
    again.send(b"syslog", b"<13>unique")
    again.send(b"syslog", b"<13>another")
    assert again.receive()[2] == again.receive()[2] == b"200 OK"
    wait_size(daemon, before + 3)
    assert metric(daemon, "yushi_input_possible_doubles_total") == doubles + 1


def test_a_message_over_the_limit_is_kept_as_parts_and_acknowledged_once(daemon):
    client = Client(daemon, "127.0.0.4")
    text = b"<13>" + b"x" * 150_000 + b"end"
    client.send(b"syslog", text)
    assert client.receive() == (2, b"rsp", b"200 OK")
    found = sorted(daemon.search("log.source.address: 127.0.0.4"), key=lambda r: r["yushi"]["part"])
    assert [(r["yushi"]["part"], r["yushi"]["part_of"]) for r in found] == [(1, 3), (2, 3), (3, 3)]
    assert "".join(r["event"]["original"] for r in found).encode() == text


@pytest.mark.parametrize("garbage", [b"<13>syslog on the wrong port\n", b"1 syslog 5 early\n", b"1 open 99999999 x",
                                     b"1 OPEN 3 abc\n", b"12345678901 open 0\n"])
def test_what_is_no_relp_ends_its_connection_and_no_other(daemon, garbage, shows_loss):
    other = Client(daemon, "127.0.0.5")
    resyncs = metric(daemon, "yushi_input_frame_resyncs_total")
    with socket.create_connection(("127.0.0.1", daemon.port("relp")), timeout=60) as connection:
        connection.sendall(garbage)
        assert connection.recv(100) == b""
    wait(lambda: metric(daemon, "yushi_input_frame_resyncs_total") == resyncs + 1, "for the count")
    number = other.send(b"syslog", b"<13>still here")
    assert other.receive() == (number, b"rsp", b"200 OK")
    shows_loss("relp-broken-frame")


def rsyslog(folder, action, port, modules=""):
    config = folder / "rsyslog.conf"
    config.write_text(f"""
global(workDirectory="{folder}" maxMessageSize="64k")
module(load="imtcp")
module(load="omrelp" {modules})
ruleset(name="out") {{
  action(type="omrelp" target="127.0.0.1" template="RSYSLOG_SyslogProtocol23Format" queue.type="LinkedList"
         queue.size="200000" action.resumeRetryCount="-1" action.resumeInterval="1" {action})
}}
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="out")
""")
    return subprocess.Popen([shutil.which("rsyslogd") or "/usr/sbin/rsyslogd", "-n", "-f", config, "-i", folder / "pid"],
                            stdout=subprocess.DEVNULL, stderr=open(folder / "rsyslog.err", "wb"))


def test_rsyslog_sends_and_is_told(daemon, tmp_path):
    port, lines = free_port(), lines_of("rsyslog-relp")
    before = log_size(daemon)
    process = rsyslog(tmp_path, f'port="{daemon.port("relp")}"', port)
    try:
        feed(port, lines)
        wait_size(daemon, before + len(lines))
    finally:
        ended(process)
    check_forwarded(daemon, "rsyslog-relp", lines)


def test_rsyslog_sends_over_tls(tmp_path):
    ca = Authority(tmp_path / "ca")
    cert, key = ca.issue("server")
    mine = ca.issue("collector")
    config = ('inputs:\n  - {type: relp, listen: "127.0.0.1:0", tls: {cert: %s, key: %s, client_ca: %s}}\n'
              % (cert, key, ca.cert))
    with Daemon(tmp_path / "own", config) as daemon:
        port, lines = free_port(), lines_of("rsyslog-relp-tls")
        process = rsyslog(tmp_path, f'port="{daemon.port("relp")}" tls="on" tls.cacert="{ca.cert}" tls.mycert="{mine[0]}" '
                          f'tls.myprivkey="{mine[1]}" tls.authmode="certvalid"', port, 'tls.tlslib="openssl"')
        try:
            feed(port, lines)
            wait_size(daemon, len(lines))
        finally:
            ended(process)
        check_forwarded(daemon, "rsyslog-relp-tls", lines)
        assert "collector" in [s["source"] for s in daemon.yushi("sources", "-o", "json").objects]


def test_a_stop_tells_what_is_safe_and_says_goodbye(tmp_path, shows_loss):
    with Daemon(tmp_path / "own", RELP) as daemon:
        client = Client(daemon)
        count = 500
        for i in range(count):
            client.send(b"syslog", b"<13>number %d" % i)
        daemon.process.send_signal(signal.SIGTERM)
        told = []
        while frame := client.receive():
            told.append(frame)
        assert daemon.process.wait(60) == 0
        assert told[-1] == (0, b"serverclose", b"")
        safe = len(told) - 1
        daemon.start()
        assert log_size(daemon) >= safe
    shows_loss("relp-stop")
