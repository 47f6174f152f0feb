"""What docs/loss.md says of kills and of the time in which nobody listens; its other rows are shown where their tests are."""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from senders import connect, log_size, records_from, wait, wait_acknowledged, wait_size
from yushi_daemon import Daemon, yushi

SENDER = "127.1.9.1"


def numbered(*numbers):
    """Of RFC 5424, numbered as senders do that can be held to it."""
    return [b'<13>1 2026-11-01T08:00:00Z web app - - [meta sequenceId="%d"] number %d' % (n, n) for n in numbers]


def send_udp(daemon, lines):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((SENDER, 0))
        for line in lines:
            sender.sendto(line, ("127.0.0.1", daemon.port_of_udp))


def send_tcp(connection, lines):
    connection.sendall(b"".join(line + b"\n" for line in lines))


def losses(daemon):
    return [source["losses"] for source in daemon.yushi("sources", "-o", "json").objects if source["source"] == SENDER]


def gaps(daemon):
    """What `_audit` says after a stop: the seconds in which nobody listened."""
    told = yushi("search", "event.action: ledger-node", "--tenant", "_audit", "--store", daemon.data, "-o", "json", state=daemon.state)
    nodes = [json.loads(record["event"]["original"])["yushi"]["ledger"] for record in told.objects]
    return [node["gap_seconds"] for node in nodes if "gap_seconds" in node]


@pytest.fixture
def daemon(tmp_path):
    """Its ports stay the same over a restart."""
    free = {}
    for kind, name in ((socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp")):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            free[name] = probe.getsockname()[1]
    inputs = "".join(f'  - {{type: syslog, transport: {name}, listen: "127.0.0.1:{port}"}}\n' for name, port in free.items())
    path = tmp_path / "log.sock"
    with Daemon(tmp_path / "d", f"inputs:\n{inputs}  - {{type: syslog, transport: unix, path: {path}}}\n") as running:
        running.port_of_tcp, running.port_of_udp, running.unix = free["tcp"], free["udp"], path
        yield running


def test_what_waits_in_a_tcp_socket_is_lost_by_a_kill_and_told_by_its_numbers(daemon, shows_loss):
    with connect(daemon.port_of_tcp, SENDER) as connection:
        send_tcp(connection, numbered(*range(1, 101)))
        wait_size(daemon, 100)
        daemon.pause()
        send_tcp(connection, numbered(*range(101, 151)))
        wait_acknowledged(connection)  # the sender has done all that it can
        daemon.kill()
        time.sleep(1.1)  # a gap is told in whole seconds
    daemon.start()
    assert log_size(daemon) == 100
    with connect(daemon.port_of_tcp, SENDER) as connection:
        send_tcp(connection, numbered(151))
        wait_size(daemon, 101)
    assert losses(daemon) == [50]
    assert daemon.stop() == 0 and gaps(daemon)
    shows_loss("tcp-kill")


def test_what_waits_in_a_udp_socket_is_lost_by_a_kill_and_told_by_its_numbers(daemon, shows_loss):
    send_udp(daemon, numbered(*range(1, 101)))
    wait_size(daemon, 100)
    daemon.pause()
    send_udp(daemon, numbered(*range(101, 151)))
    daemon.kill()
    time.sleep(1.1)  # a gap is told in whole seconds
    daemon.start()
    send_udp(daemon, numbered(151))
    wait_size(daemon, 101)
    assert losses(daemon) == [50]
    assert daemon.stop() == 0 and gaps(daemon)
    shows_loss("udp-kill")


def test_what_waits_in_a_unix_socket_is_lost_by_a_kill(daemon, shows_loss):
    queue = int(pathlib.Path("/proc/sys/net/unix/max_dgram_qlen").read_text())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(str(daemon.unix))
        for line in numbered(*range(1, 101)):
            sender.send(line)
        wait_size(daemon, 100)
        daemon.pause()
        taken = send_until_refused(sender)
        assert 0 < taken <= queue + 1
        daemon.kill()
        time.sleep(1.1)  # a gap is told in whole seconds
    daemon.start()
    assert log_size(daemon) == 100
    assert daemon.stop() == 0 and gaps(daemon)
    shows_loss("unix-kill")


def send_until_refused(sender):
    """How many datagrams the socket took."""
    sender.setblocking(False)
    taken = 0
    while taken < 100_000:
        try:
            sender.send(b"<13>1 2026-11-01T08:00:00Z web app - - - waits %d" % taken)
        except BlockingIOError:
            return taken
        taken += 1
    raise AssertionError("the kernel holds them without a bound")


def test_a_unix_socket_refuses_what_it_cannot_hold_and_loses_nothing_that_it_took(daemon, shows_loss):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(str(daemon.unix))
        daemon.pause()
        taken = send_until_refused(sender)
        daemon.process.send_signal(signal.SIGCONT)
        wait_size(daemon, taken)
        sender.setblocking(True)
        sender.send(b"<13>1 2026-11-01T08:00:00Z web app - - - the last")
    wait_size(daemon, taken + 1)
    assert len(daemon.search("waits")) == taken > 0
    shows_loss("unix-slow")


def test_while_it_does_not_run_senders_are_refused_and_the_gap_is_told(daemon, shows_loss):
    local = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with local:
        local.connect(str(daemon.unix))
        send_udp(daemon, numbered(1))
        wait_size(daemon, 1)
        assert daemon.stop() == 0
        with pytest.raises(ConnectionRefusedError):
            connect(daemon.port_of_tcp, SENDER)
        with pytest.raises(ConnectionRefusedError):
            local.send(b"nobody reads this")
        send_udp(daemon, numbered(*range(2, 12)))  # no error tells of it
        time.sleep(1)
        daemon.start()
    send_udp(daemon, numbered(12))
    wait_size(daemon, 2)
    assert losses(daemon) == [10]
    assert daemon.stop() == 0
    assert max(gaps(daemon)) >= 1
    shows_loss("tcp-down")
    shows_loss("udp-down")
    shows_loss("unix-down")


def test_a_record_is_counted_as_committed_only_after_its_write_is_synced(daemon, tmp_path, shows_loss):
    """No test here cuts the power: what a disk keeps after a sync is its own matter. So the calls are watched."""
    trace = tmp_path / "trace"
    assert shutil.which("strace"), "scripts/install-deps test installs it"
    tracer = subprocess.Popen(["strace", "-f", "-y", "-s", "4096", "-o", trace, "-p", str(daemon.process.pid), "-e",
                               "trace=write,writev,sendto,sendmsg,fdatasync,fsync"], stderr=subprocess.PIPE, text=True)
    said = tracer.stderr.readline()
    try:
        if "not permitted" in said.lower():
            pytest.skip(f"no process can be traced here: {said}")
        with connect(daemon.port_of_tcp, SENDER) as connection:
            send_tcp(connection, numbered(1))
            wait_size(daemon, 1)
    finally:
        tracer.terminate()
        tracer.wait()
    told = r'\\"log\\":\\"default\\"[^{}]*\\"records\\":1\b|\\"records\\":1,[^{}]*\\"log\\":\\"default\\"'
    calls = trace.read_text(errors="replace").splitlines()
    answered = next(i for i, call in enumerate(calls) if re.search(told, call))
    wal = [i for i, call in enumerate(calls[:answered]) if re.search(r"write\(\d+<[^>]*/store/\d+\.log>", call)]
    synced = [i for i, call in enumerate(calls[:answered]) if re.search(r"(fdatasync|fsync)(\(\d+<[^>]*/store/\d+\.log>\)| resumed>.*) += 0", call)]
    assert wal and synced and wal[0] < synced[-1] < answered, "\n".join(calls[:answered + 1])
    shows_loss("tcp-power")
