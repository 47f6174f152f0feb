"""The HTTP API as any client may use it, not only our CLI: endpoints, methods, and targets that are wrong."""

import json
import socket

import pytest

from yushi_daemon import DEADLINE_S, Daemon


def http(daemon, method, target):
    """The status, the headers and the body."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(DEADLINE_S)
        connection.connect(str(daemon.socket))
        connection.sendall(f"{method} {target} HTTP/1.1\r\nHost: e2e\r\nConnection: close\r\n\r\n".encode())
        got = b""
        while chunk := connection.recv(1 << 16):
            got += chunk
    head, body = got.split(b"\r\n\r\n", 1)
    status, *headers = head.decode().split("\r\n")
    return int(status.split()[1]), {k.lower(): v for k, v in (h.split(": ", 1) for h in headers)}, body


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("http")) as running:
        yield running


@pytest.mark.parametrize("target", ["/healthz", "/readyz", "/metrics"])
def test_head_answers_as_get_without_a_body(daemon, target):
    code, headers, body = http(daemon, "GET", target)
    assert code == 200 and len(body) == int(headers["content-length"]) > 0
    code, asked, body = http(daemon, "HEAD", target)
    assert (code, body) == (200, b"")
    assert asked["content-type"] == headers["content-type"] and int(asked["content-length"]) > 0


@pytest.mark.parametrize("target", ["/healthz?x=1", "/readyz?x", "/metrics?x=1", "/metrics?%zz=1", "/api/v1/status?x=1"])
def test_an_unknown_parameter_is_400_at_every_endpoint(daemon, target):
    code, _, body = http(daemon, "GET", target)
    assert code == 400 and (b"x" in body or b"zz" in body)


def test_what_is_no_endpoint_is_404_and_what_is_no_question_405(daemon):
    assert http(daemon, "GET", "/nothing?x=1")[0] == 404
    assert http(daemon, "GET", "/healthz/")[0] == 404
    code, headers, _ = http(daemon, "POST", "/healthz")
    assert code == 405 and "GET" in headers["allow"]
    assert http(daemon, "HEAD", "/api/v1/status")[0] == 405


@pytest.mark.parametrize("query", ["query=*&query=sshd", "query=*&%71uery=*", "limit=1&query=*&limit=1"])
def test_a_parameter_given_twice_is_400(daemon, query):
    code, _, body = http(daemon, "GET", f"/api/v1/search?{query}")
    assert code == 400 and "given twice" in json.loads(body)["error"]["message"]


@pytest.mark.parametrize("query", ["query=%zz", "query=%", "query=%4", "query=a%2", "query=%+1", "query=%0x41", "%g0=1"])
def test_a_broken_percent_escape_is_400(daemon, query):
    code, _, body = http(daemon, "GET", f"/api/v1/search?{query}")
    assert code == 400 and "hexadecimal" in json.loads(body)["error"]["message"]


def test_escapes_are_the_bytes_that_they_name(daemon):
    assert http(daemon, "GET", "/api/v1/search?query=%2A&limit=1")[0] == 200
    assert http(daemon, "GET", "/api/v1/search?query=%2a+and+%e7%99%bb")[0] == 200
