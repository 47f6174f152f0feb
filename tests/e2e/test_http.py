"""The HTTP API as any client may use it, not only our CLI: endpoints, methods, and targets that are wrong."""

import contextlib
import json
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


@pytest.mark.parametrize("target", ["/healthz", "/readyz", "/metrics"])
def test_head_answers_as_get_without_a_body(daemon, target):
    code, headers, body = daemon.http(target)
    assert code == 200 and len(body) == int(headers["content-length"]) > 0
    code, asked, body = daemon.http(target, "HEAD")
    assert (code, body) == (200, b"")
    assert asked["content-type"] == headers["content-type"] and int(asked["content-length"]) > 0


@pytest.mark.parametrize("target", ["http://localhost/healthz", "HTTP://127.0.0.1:80/readyz", "http://x/api/v1/status"])
def test_the_absolute_form_asks_for_the_same(daemon, target):
    assert daemon.http(target).code == 200
    assert daemon.http("http://localhost").code == 404


@pytest.mark.parametrize("target", ["/healthz?x=1", "/readyz?x", "/metrics?x=1", "/metrics?%zz=1", "/api/v1/status?x=1"])
def test_an_unknown_parameter_is_400_at_every_endpoint(daemon, target):
    code, _, body = daemon.http(target)
    assert code == 400 and (b"x" in body or b"zz" in body)


def test_what_is_no_endpoint_is_404_and_what_is_no_question_405(daemon):
    assert daemon.http("/nothing?x=1").code == 404
    assert daemon.http("/healthz/").code == 404
    code, headers, _ = daemon.http("/healthz", "POST")
    assert code == 405 and "GET" in headers["allow"]
    assert daemon.http("/api/v1/status", "HEAD").code == 405


@pytest.mark.parametrize("query", ["query=*&query=sshd", "query=*&%71uery=*", "limit=1&query=*&limit=1"])
def test_a_parameter_given_twice_is_400(daemon, query):
    code, _, body = daemon.http(f"/api/v1/search?{query}")
    assert code == 400 and "given twice" in json.loads(body)["error"]["message"]


@pytest.mark.parametrize("query", ["query=%zz", "query=%", "query=%4", "query=a%2", "query=%+1", "query=%0x41", "%g0=1"])
def test_a_broken_percent_escape_is_400(daemon, query):
    code, _, body = daemon.http(f"/api/v1/search?{query}")
    assert code == 400 and "hexadecimal" in json.loads(body)["error"]["message"]


def test_escapes_are_the_bytes_that_they_name(daemon):
    assert daemon.http("/api/v1/search?query=%2A&limit=1").code == 200
    assert daemon.http("/api/v1/search?query=%2a+and+%e7%99%bb").code == 200


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
