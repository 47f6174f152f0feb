"""The HTTP API as any client may use it, not only our CLI. What is only asked and compared stands in tests/cases/api."""

import contextlib
import pathlib
import resource
import select
import socket

import pytest

from yushi_daemon import DEADLINE_S, Daemon


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("http")) as running:
        yield running


def test_metrics_have_a_head_too(daemon):
    code, headers, body = daemon.http("/metrics")
    assert code == 200 and len(body) == int(headers["content-length"]) > 0
    code, asked, body = daemon.http("/metrics", "HEAD")
    assert (code, body) == (200, b"")
    assert asked["content-type"] == headers["content-type"] and int(asked["content-length"]) > 0


def test_askers_for_whom_there_is_no_thread_do_not_end_the_daemon(tmp_path):
    with Daemon(tmp_path) as daemon, contextlib.ExitStack() as askers:
        status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
        memory = next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmSize"))
        _, most = limit = resource.prlimit(daemon.process.pid, resource.RLIMIT_AS)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, (memory + (6 << 20), most))  # a stack is larger
        waiting = [askers.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(60)]
        for asker in waiting:  # threads that have ended left some stacks: the first ones get a thread, which waits for a question
            asker.connect(str(daemon.socket))
        refused, _, _ = select.select(waiting, [], [], DEADLINE_S)
        assert refused and refused[0].recv(12) == b"HTTP/1.1 503"
        resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, limit)
        assert daemon.http("/healthz").code == 200
        assert daemon.stop() == 0


def test_a_stream_that_follows_has_no_end_of_its_own(tmp_path):
    with Daemon(tmp_path) as daemon, socket.socket(socket.AF_UNIX) as asker:
        daemon.send_tcp([b"<13>1 - web app - - - first"])
        daemon.wait_records(1)
        asker.settimeout(DEADLINE_S)
        asker.connect(str(daemon.socket))
        asker.sendall(b"GET /api/v1/search?query=*&follow=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""

        def read_until(word):
            nonlocal got
            while word not in got:
                more = asker.recv(65536)
                assert more, got
                got += more

        for word in (b"first", b"second", b"third"):  # each is a round of its own, and the one before it has ended
            daemon.send_tcp([b"<13>1 - web app - - - " + word] if word != b"first" else [])
            read_until(word)
        daemon.kill()
        while more := asker.recv(65536):
            got += more
        assert b"yushi.end" not in got
