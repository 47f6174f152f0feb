"""A full disk: inputs stop and say so, nothing that was committed goes, and with room again it goes on."""

import os
import random
import socket
import subprocess
import time

import pytest

from senders import index_of, log_size, wait, wait_size
from yushi_daemon import BIN, Daemon, yushi

MIB = 1 << 20
RESERVE_BYTES = 256 * MIB  # what yushid leaves free
DISK_BYTES = 400 * MIB
PAYLOAD_BYTES = 4_000


@pytest.fixture
def small_disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("no tmpfs can be mounted but by root: the full disk was not tested")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", disk], capture_output=True,
                             text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here, so the full disk was not tested: {mounted.stderr}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


class Ballast:
    """What somebody else puts onto the disk."""

    def __init__(self, disk):
        self.disk, self.path = disk, disk / "ballast"

    def free_bytes(self):
        said = os.statvfs(self.disk)
        return said.f_bavail * said.f_frsize

    def fill_to(self, free_bytes):
        more = self.free_bytes() - free_bytes
        if more > 0:
            with open(self.path, "ab") as out:
                os.posix_fallocate(out.fileno(), out.tell(), more)

    def remove(self):
        self.path.unlink()


class Sender:
    """Numbered messages that do not compress, until the daemon takes no more."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.dice = random.Random(1)
        self.sent, self.rest = 0, b""

    def send_some(self):
        """False when the daemon takes nothing now."""
        if not self.rest:
            payload = self.dice.randbytes(PAYLOAD_BYTES // 2).hex()
            self.rest = b"<13>1 - host app - - - number %06d %s\n" % (self.sent, payload.encode())
            self.sent += 1
        try:
            self.rest = self.rest[self.socket.send(self.rest):]
            return True
        except BlockingIOError:
            return False

    def finish(self):
        self.socket.setblocking(True)
        self.socket.sendall(self.rest)
        self.socket.close()
        return self.sent


def numbers_in(records):
    return [int(record["message"].split()[1]) for record in sorted(records, key=index_of)]


def is_ready(daemon):
    return daemon.http("/readyz").code == 200


def asked(daemon, *question):
    """The CLI's exit code; None when it gets no answer."""
    try:
        return subprocess.run([BIN / "yushi", *question, "--server", f"unix:{daemon.socket}"], capture_output=True,
                              env={**os.environ, "XDG_STATE_HOME": str(daemon.state)}, timeout=30).returncode
    except subprocess.TimeoutExpired:
        return None


def daemon_on(disk, tmp_path):
    daemon = Daemon(tmp_path / "d", "limits: {in_flight_bytes: 16MiB}\n")
    daemon.config.write_text(daemon.config.read_text().replace(str(daemon.data), str(disk / "data")))
    daemon.data = disk / "data"
    return daemon


def test_on_a_full_disk_status_answers_and_content_queries_are_refused(small_disk, tmp_path):
    ballast = Ballast(small_disk)
    with daemon_on(small_disk, tmp_path) as daemon:
        daemon.send_tcp([b"<13>1 - host app - - - number 1"])
        wait_size(daemon, 1)
        assert (asked(daemon, "status"), asked(daemon, "search", "number")) == (1, 0)
        assert daemon.status()["verdict"] == "WARN"  # so small a disk is always near its reserve
        ballast.fill_to(RESERVE_BYTES - 2 * MIB)
        wait(lambda: not is_ready(daemon), "for the daemon to see the full disk")
        said = {question: asked(daemon, *question.split()) for question in ("status", "search number")}
        assert said == {"status": 1, "search number": 2}, "health and status stay, content is refused; None: no answer"
        assert daemon.status()["verdict"] == "FAIL"


def test_a_full_disk_stops_the_inputs_and_loses_nothing(small_disk, tmp_path, shows_loss):
    ballast = Ballast(small_disk)
    with daemon_on(small_disk, tmp_path) as daemon:
        sender = Sender(daemon.port("tcp"))
        for _ in range(500):
            wait(sender.send_some, "for the daemon to read")
        wait_size(daemon, 400)
        assert is_ready(daemon)

        # The disk fills while messages come.
        free = ballast.free_bytes()
        while is_ready(daemon):
            free -= 2 * MIB
            ballast.fill_to(max(free, RESERVE_BYTES - 2 * MIB))
            for _ in range(100):
                sender.send_some()
        assert b"reserve" in daemon.http("/readyz").body

        # Inputs stop: what is in memory and in the kernel's buffers is bounded, the rest waits at the sender.
        taken = 0
        while any(sender.send_some() for _ in wait_a_while()):
            taken += 1
            assert taken * PAYLOAD_BYTES < 256 * MIB, "the inputs have not stopped"
        assert daemon.status()["disk_full"] is True
        assert daemon.http("/healthz").code == 200
        assert b"yushi_disk_full 1" in daemon.http("/metrics").body
        committed = log_size(daemon)
        assert 400 <= committed < sender.sent

        # Room again: it goes on where it was.
        ballast.remove()
        wait(lambda: is_ready(daemon), "for the daemon to go on")
        sent = sender.finish()
        wait_size(daemon, sent)
        assert numbers_in(daemon.search("number")) == list(range(sent)), "messages were lost, doubled or reordered"
        told = wait(lambda: daemon.search("event.action: disk-full", "--tenant", "_audit"), "for the record in _audit")
        assert told[0]["event"]["original"].count("nothing is deleted") == 1
        alerts = [alert for alert in daemon.yushi("alerts", "list", "-o", "json").objects
                  if alert["rule"]["id"] == "yushid.disk-full"]
        assert len(alerts) == 1, "an alert says so, once"
        assert alerts[0]["yushi"]["alert"]["records"] == [told[0]["event"]["id"]]
        wait(lambda: daemon.search("event.action: disk-has-room", "--tenant", "_audit"), "for the end to be told too")
        log = (daemon.folder / "yushid.log").read_text()
        assert log.count("the disk is below its reserve") == log.count("the disk has room again") == 1

        # Killed on a full disk, and started on it.
        ballast.fill_to(RESERVE_BYTES - 2 * MIB)
        wait(lambda: not is_ready(daemon), "for the daemon to see the full disk")
        daemon.kill()
        daemon.start()
        assert log_size(daemon) == sent
        ballast.remove()
        wait(lambda: is_ready(daemon), "for the daemon to go on")
        daemon.send_tcp([b"<13>1 - host app - - - number 999999 the last"])
        wait_size(daemon, sent + 1)
        assert daemon.stop() == 0
    proved = yushi("verify", "--store", daemon.data, state=daemon.state)
    assert proved.code == 0, proved.text + proved.err
    shows_loss("tcp-full-disk")


def test_a_disk_without_a_byte_left_is_waited_for(small_disk, tmp_path):
    ballast = Ballast(small_disk)
    with daemon_on(small_disk, tmp_path) as daemon:
        sender = Sender(daemon.port("tcp"))
        for _ in range(300):
            wait(sender.send_some, "for the daemon to read")
        wait_size(daemon, 200)
        ballast.fill_to(0)
        wait(lambda: b"the disk is full" in (daemon.folder / "yushid.log").read_bytes() or asked(daemon, "checkpoint") is None,
             "for something to find no room")
        assert asked(daemon, "checkpoint") == 2, "it does not wait for its signature"
        assert daemon.process.poll() is None and not is_ready(daemon)
        assert daemon.status()["verdict"] == "FAIL"
        ballast.remove()
        wait(lambda: is_ready(daemon), "for the daemon to go on")
        sent = sender.finish()
        wait_size(daemon, sent)
        assert numbers_in(daemon.search("number")) == list(range(sent)), "messages were lost, doubled or reordered"
        proved = daemon.yushi("verify")
        assert proved.code == 0, proved.text + proved.err
        assert daemon.stop() == 0


def wait_a_while():
    """Looks for three seconds."""
    until = time.monotonic() + 3
    while time.monotonic() < until:
        yield
        time.sleep(0.01)
