"""systemd's watchdog is fed while every stage moves, and no longer when one of them hangs."""

import contextlib
import ctypes
import os
import pathlib
import socket
import time

import pytest

from senders import wait
from yushi_daemon import Daemon

WATCHDOG_S = 1
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000


@contextlib.contextmanager
def frozen(process, name):
    """One thread of that name stands still, as a hung one does; all others run."""
    threads = [int(task.name) for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir()
               if (task / "comm").read_text().strip() == name]
    assert threads, f"no thread is named {name}"
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
        assert libc.ptrace(request, threads[0], None, None) == 0, os.strerror(ctypes.get_errno())
    os.waitpid(threads[0], WALL)
    try:
        yield
    finally:
        assert libc.ptrace(PTRACE_DETACH, threads[0], None, None) == 0, os.strerror(ctypes.get_errno())


class Supervisor:
    """Hears what a service says to systemd."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    def beats(self):
        """How often the watchdog was fed since the last call."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                count += b"WATCHDOG=1" in self.socket.recv(4096)
        return count


@pytest.fixture
def supervised(tmp_path, monkeypatch):
    supervisor = Supervisor(tmp_path / "notify.sock")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify.sock"))
    monkeypatch.setenv("WATCHDOG_USEC", str(WATCHDOG_S * 1_000_000))
    with Daemon(tmp_path) as daemon:
        yield daemon, supervisor


def log_of(daemon):
    return (daemon.folder / "yushid.log").read_text()


def test_an_idle_daemon_is_well(supervised):
    daemon, supervisor = supervised
    for _ in range(3):
        wait(supervisor.beats, "for the watchdog to be fed")


@pytest.mark.parametrize("thread, said, lines", [("committer", "the committer", 0), ("ingest", "ingest thread", 0),
                                                 ("sealer", "the sealer", 80_000)])
def test_a_thread_that_hangs_is_not_hidden_by_a_main_thread_that_is_well(supervised, thread, said, lines):
    """The sealer is idle until a block is full."""
    daemon, supervisor = supervised
    wait(supervisor.beats, "for the watchdog to be fed")
    with frozen(daemon.process, thread):
        if lines:
            daemon.send_tcp([f"<13>1 - web-01 app {i} - - line {i}" for i in range(lines)])
        wait(lambda: said in log_of(daemon), f"to be told that {said} does not move")
        supervisor.beats()
        time.sleep(WATCHDOG_S)
        assert supervisor.beats() == 0
    wait(supervisor.beats, "for the watchdog to be fed again")
    daemon.wait_records(lines)
    assert daemon.stop() == 0
