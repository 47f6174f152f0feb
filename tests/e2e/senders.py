"""Senders as they are in the wild, and what tests ask of a daemon about them. Loopback only."""

import base64
import fcntl
import json
import socket
import struct
import termios
import time

WAIT_SECONDS_MAX = 120  # for what takes well under a second on an idle machine


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connect(port, source="127.0.0.1"):
    """A TCP connection from `source`, any address of 127.0.0.0/8: so each test has a sender of its own."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    connection.bind((source, 0))
    connection.connect(("127.0.0.1", port))
    return connection


def send_and_close(port, data, source="127.0.0.1"):
    with connect(port, source) as connection:
        connection.sendall(data)


def octets(messages):
    return b"".join(b"%d %s" % (len(message), message) for message in messages)


def wait_acknowledged(connection):
    """Until the peer's kernel has all that was sent: what a stop must not lose."""
    wait(lambda: struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0\0\0\0"))[0] == 0,
         "for the peer's kernel to take all")


def wait(holds, what, seconds=WAIT_SECONDS_MAX):
    until = time.monotonic() + seconds
    while not (got := holds()):
        assert time.monotonic() < until, f"waited {seconds} s {what}"
        time.sleep(0.02)
    return got


def log_size(daemon, log="default"):
    """The committed count, from the API: the contract is that these survive."""
    for line in daemon.http("/api/v1/status").body.splitlines():
        if line.startswith(b'{"log"'):
            said = json.loads(line)
            if said["log"] == log:
                return said["records"]
    return 0


def wait_size(daemon, size, log="default"):
    def reached():
        assert daemon.process.poll() is None, "yushid ended:\n" + (daemon.folder / "yushid.log").read_text()
        return log_size(daemon, log) >= size
    wait(reached, f"for {size} records in {log}; it has {log_size(daemon, log)}")


def raw_of(record):
    """The exact bytes, from a record as JSON."""
    if "raw_base64" in record.get("yushi", {}):
        return base64.b64decode(record["yushi"]["raw_base64"])
    return record["event"]["original"].encode()


def index_of(record):
    return int(record["event"]["id"].rsplit("/", 1)[1])


def records_from(daemon, source, *args):
    """What this sender sent, in the order of commit."""
    found = daemon.search(f"log.source.address: {source}", *args)
    return sorted(found, key=index_of)


def metric(daemon, name, label=""):
    """The sum of a counter over its series whose labels hold `label`."""
    total = 0
    for line in daemon.http("/metrics").body.decode().splitlines():
        if line.startswith(name + "{") and label in line or line.startswith(name + " "):
            total += float(line.rsplit(" ", 1)[1])
    return int(total)
