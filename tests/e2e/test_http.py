"""The HTTP API as any client may use it, not only our CLI: endpoints, methods, and targets that are wrong."""

import json

import pytest

from yushi_daemon import Daemon


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
