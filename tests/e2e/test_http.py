"""The HTTP API as any client may use it, not only our CLI. What is only asked and compared stands in tests/cases/api."""

import contextlib
import pathlib
import re
import resource
import socket

import pytest

from senders import wait
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


def test_what_memory_is_held_is_told_by_its_parts(tmp_path):
    lines = [f"<38>1 2026-11-01T08:00:00Z host app {i} - - said {i}" for i in range(2000)]
    with Daemon(tmp_path, "limits: {memory: 1GiB}\n") as daemon:
        daemon.send_tcp(lines)
        daemon.wait_records(len(lines))
        metrics = daemon.http("/metrics").body.decode()
        parts = {part: int(held) for part, held in re.findall(r'^yushi_memory_bytes\{part="(\w+)"\} (\d+)$', metrics, re.M)}
        assert "\nyushi_memory_limit_bytes 1073741824\n" in metrics
        assert set(parts) == {"in_flight", "open_blocks", "memtables", "tables", "cache", "parsers", "detectors", "questions", "heap_free",
                              "resident"}
        assert parts["open_blocks"] > sum(map(len, lines))  # fields too, not only bytes
        assert parts["resident"] > parts["parsers"] + parts["open_blocks"] > parts["open_blocks"]
        assert daemon.status()["memory"].keys() == parts.keys()
        assert "memory: in flight " in daemon.yushi("status", "-o", "table").text


def no_room_for_a_stack(daemon):
    """The daemon's memory may not grow by a thread's stack; gives the limit of before."""
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    memory = next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmSize"))
    _, most = limit = resource.prlimit(daemon.process.pid, resource.RLIMIT_AS)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, (memory + (6 << 20), most))
    return limit


def test_askers_for_whom_there_is_no_thread_are_told_so_and_do_not_end_the_daemon(tmp_path):
    with Daemon(tmp_path) as daemon:
        limit = no_room_for_a_stack(daemon)
        code, _, body = daemon.http("/api/v1/search?query=*")
        assert code == 503 and b"no thread" in body
        assert daemon.http("/healthz").code == 200  # which needs none
        resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, limit)
        assert daemon.http("/api/v1/search?query=*").code == 200
        assert daemon.stop() == 0


def threads_of(daemon):
    return len(list(pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir()))


def test_who_waits_holds_no_thread(tmp_path):
    """For a request, for its end, for the next, and for what is followed."""
    with Daemon(tmp_path) as daemon, contextlib.ExitStack() as askers:
        def ask(data):
            asker = askers.enter_context(socket.socket(socket.AF_UNIX))
            asker.settimeout(DEADLINE_S)
            asker.connect(str(daemon.socket))
            asker.sendall(data)
            return asker

        follow = b"GET /api/v1/search?query=*&follow=1 HTTP/1.1\r\nHost: x\r\n\r\n"
        before = threads_of(daemon)
        waiting = [ask(data) for data in [b"", b"GET /he", follow] * 40 + [b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"] * 40]
        assert all(asker.recv(12) == b"HTTP/1.1 200" for asker in waiting[2:120:3] + waiting[120:])
        wait(lambda: threads_of(daemon) <= before + 20, "for no more threads than the pools have")
        daemon.send_tcp([b"<13>1 - web app - - - to-all-of-them"])
        for asker in waiting[2:120:3]:
            got = b""
            while b"to-all-of-them" not in got:
                got += asker.recv(65536)
        assert daemon.http("/healthz").code == 200


def test_those_who_are_refused_take_no_descriptors_from_the_store(tmp_path):
    """More than may be open at once, which is 256; those who are let go do not go by themselves."""
    with Daemon(tmp_path) as daemon, contextlib.ExitStack() as askers:
        def descriptors():
            return len(list(pathlib.Path(f"/proc/{daemon.process.pid}/fd").iterdir()))

        before = most = descriptors()
        for number in range(800):
            asker = askers.enter_context(socket.socket(socket.AF_UNIX))
            asker.settimeout(DEADLINE_S)
            asker.connect(str(daemon.socket))
            if number % 50 == 0:
                most = max(most, descriptors())
        assert daemon.http("/healthz").code == 200
        assert max(most, descriptors()) <= before + 2 * 256 + 20


def test_readers_who_stop_keep_nobody_from_an_answer(tmp_path):
    """As many as have a thread for what is answered at once. One alone would have half a minute."""
    rule = "title: {0}\nid: rule-{1}\nlogsource: {{product: yushi}}\ndetection: {{a: {{message: x{1}}}, condition: a}}\n"
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "many.yml").write_text("---\n".join(rule.format("long " * 400, n) for n in range(300)))
    with Daemon(tmp_path, f"detect: {{rules: [{tmp_path}/rules]}}\n") as daemon, contextlib.ExitStack() as askers:
        assert len(daemon.http("/api/v1/rules").body) > 512 << 10  # more than the sockets hold
        for _ in range(16):
            asker = askers.enter_context(socket.socket(socket.AF_UNIX))
            asker.settimeout(DEADLINE_S)
            asker.connect(str(daemon.socket))
            asker.sendall(b"GET /api/v1/rules HTTP/1.1\r\nHost: x\r\n\r\n")
            assert asker.recv(12) == b"HTTP/1.1 200"
        assert daemon.http("/api/v1/status").code == 200
        told = "its reader took nothing while others waited to be answered"
        wait(lambda: told in str(daemon.search("event.action:api-rules", "--tenant", "_audit")), "for one to be let go")


def test_requests_that_come_at_once_are_answered_in_their_order(daemon):
    asked = [b"/healthz", b"/readyz", b"/nothing", b"/api/v1/checkpoint", b"/healthz"] * 20
    with socket.socket(socket.AF_UNIX) as asker:
        asker.settimeout(DEADLINE_S)
        asker.connect(str(daemon.socket))
        asker.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % each for each in asked))
        asker.shutdown(socket.SHUT_WR)
        got = b""
        while more := asker.recv(65536):
            got += more
    said = [each.split(b" ", 2)[:2] for each in got.split(b"\n") if each.startswith(b"HTTP/1.1 ")]
    assert [int(code) for _, code in said] == [404 if each == b"/nothing" else 200 for each in asked]


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


def test_parameters_may_be_posted_as_a_form(tmp_path):
    def post(daemon, target, body, kind="application/x-www-form-urlencoded"):
        with socket.socket(socket.AF_UNIX) as asker:
            asker.settimeout(DEADLINE_S)
            asker.connect(str(daemon.socket))
            head = f"POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            asker.sendall(head.encode() + body)
            got = b""
            while more := asker.recv(65536):
                got += more
        return int(got.split(b" ", 2)[1]), got

    with Daemon(tmp_path) as daemon:
        daemon.send_tcp([b"<13>1 - web app - - - first", b"<13>1 - web app - - - second"])
        daemon.wait_records(2)
        code, said = post(daemon, "/api/v1/search?query=second", b"limit=1&zone=UTC")  # target and form together
        assert code == 200 and b"second" in said and b"first" not in said
        code, said = post(daemon, "/api/v1/search", b"query=web+and+%66irst", "application/x-www-form-urlencoded; charset=utf-8")
        assert code == 200 and b"first" in said and b"second" not in said
        assert post(daemon, "/api/v1/search?query=a", b"query=b")[0] == 400  # given twice
        assert post(daemon, "/api/v1/search", b"colour=red")[0] == 400
        assert post(daemon, "/api/v1/search", b'{"query":"*"}', "application/json")[0] == 415
        assert post(daemon, "/healthz", b"")[0] == 405
        code, said = post(daemon, "/api/v1/verify", b"remembered=" + b"x" * (1 << 20))
        assert code == 413 and b"1024 KiB" in said
        # What is too long for a target, the CLI posts.
        assert daemon.yushi("search", "first or " + "x" * 60_000).code == 0
