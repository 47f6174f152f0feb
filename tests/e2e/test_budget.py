"""What asking may cost: slow, silent and greedy askers stop nobody, every answer has an end that says why, and ends."""

import contextlib
import http.client
import json
import os
import socket
import stat
import time

import pytest

from senders import free_port, metric, wait
from yushi_daemon import DEADLINE_S, Daemon

LINES = 20_000


def line(i):
    return f"<86>1 2026-11-01T08:{i // 60 % 60:02}:{i % 60:02}Z host{i % 9} app{i % 5} - - - number {i} " + "of many " * 20


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("budget"), "limits: {query_bytes: 8MiB}\n") as running:
        running.send_tcp(line(i) for i in range(LINES))
        running.wait_records(LINES)
        yield running


@contextlib.contextmanager
def asker(daemon, data=b""):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(DEADLINE_S)
        connection.connect(str(daemon.socket))
        connection.sendall(data)
        yield connection


def read_all(connection):
    got = b""
    while more := connection.recv(1 << 16):
        got += more
    return got


def end_of(body):
    return json.loads(body.splitlines()[-1])["yushi.end"]


def audited(daemon, word, tenant="_audit"):
    return wait(lambda: daemon.search(word, "--tenant", tenant), f"for a record with {word}")


# ---------------------------------------------------------------------------------------------------------- connections


def test_half_requests_and_silent_connections_lock_nobody_out(daemon):
    with contextlib.ExitStack() as slow:
        for i in range(400):  # more than there are places
            with contextlib.suppress(OSError):
                slow.enter_context(asker(daemon, b"GET /hea" if i % 2 else b""))
        for target in ("/healthz", "/readyz", "/metrics", "/api/v1/status"):
            assert daemon.http(target).code == 200
        assert len(daemon.search("number", "-n", "3")) == 3
    assert daemon.http("/healthz").code == 200


def test_a_request_that_does_not_come_whole_is_told_so_and_let_go(daemon):
    with asker(daemon, b"GET /healthz HTTP/1.1\r\nX: ") as connection:
        said = read_all(connection)
    assert said.startswith(b"HTTP/1.1 408 ") and b"did not arrive whole" in said


@pytest.mark.parametrize("request_, status", [
    (b"GET /healthz\r\n\r\n", 400),  # HTTP/0.9
    (b"GET /healthz HTTP/9.9\r\n\r\n", 505),
    (b"GET /healthz HTTP/1.1\nHost: x\n\n", 400),
    (b"GET /api/v1/search?query=a b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET http://logs.example.org/api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 421),
    (b"hello\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde", 400),
    (b"GET /healthz HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000, 413),
    (b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    (b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 100_000 + b"\r\n", 431),
    (b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n", 414),
    (b"GET /healthz HTTP/1.1\r\nX:", 400),  # and its end
    (b"GET /api/v1/status HTTP/1.1\r\nHost: logs.example.org\r\n\r\n", 421),
])
def test_every_refusal_has_a_status_and_words(daemon, request_, status):
    with asker(daemon, request_) as connection:
        connection.shutdown(socket.SHUT_WR)
        reply = http.client.HTTPResponse(connection)
        reply.begin()
        assert (reply.status, "message" in json.loads(reply.read())["error"]) == (status, True)
        assert connection.recv(1) == b""
    assert daemon.http("/healthz").code == 200


@pytest.mark.parametrize("host", ["localhost:8080", "yushi", "127.0.0.1:80", "[::1]:80", ""])
def test_a_host_that_no_page_can_have_is_answered(daemon, host):
    with asker(daemon, b"GET /api/v1/status HTTP/1.1\r\nConnection: close\r\nHost: %s\r\n\r\n" % host.encode()) as connection:
        assert read_all(connection).startswith(b"HTTP/1.1 200 ")


def test_a_query_of_64_kib_arrives_and_a_longer_one_is_refused_in_words(daemon):
    longest = "中" * 21_845  # three bytes each, nine when they are encoded
    assert daemon.yushi("search", longest).code == 1
    answer = daemon.yushi("search", longest + "ab")
    assert answer.code == 2 and "longer than 64 KiB" in answer.err
    answer = daemon.yushi("search", "word " * 25_000)
    assert answer.code == 2 and "64 KiB" in answer.err


def test_who_asks_in_http_1_0_gets_lines_without_chunks(daemon):
    with asker(daemon, b"GET /api/v1/search?query=*&limit=2 HTTP/1.0\r\n\r\n") as connection:
        head, body = read_all(connection).split(b"\r\n\r\n", 1)
    assert b"chunked" not in head
    assert [list(json.loads(each))[0] for each in body.splitlines()] == ["@timestamp", "@timestamp", "yushi.end"]


# -------------------------------------------------------------------------------------------------------------- answers


def test_what_does_not_fit_into_memory_is_given_whole_and_in_order(daemon):
    """Some 20 MB of JSON, and half a MiB of room for what waits."""
    reply = daemon.http("/api/v1/search?query=*")
    times = [json.loads(each)["@timestamp"] for each in reply.body.splitlines()[:-1]]
    assert len(times) == LINES and times == sorted(times)
    assert end_of(reply.body)["complete"] is True
    newest = daemon.search("*", "-n", "5000")  # too many to be held until they are turned round
    assert [each["@timestamp"] for each in newest] == times[-5000:]


def test_after_gives_all_in_the_order_of_arrival(daemon):
    reply = daemon.http("/api/v1/search?query=*&after=default%3D100")
    ids = [json.loads(each)["event"]["id"] for each in reply.body.splitlines()[:-1]]
    assert ids == [f"default/{i}" for i in range(100, LINES)]
    assert end_of(reply.body)["complete"] is True


def test_an_answer_that_needs_too_much_memory_says_so_and_ends_3(daemon):
    answer = daemon.yushi("search", "* | stats distinct(message), distinct(event.original) by event.id")
    assert answer.code == 3 and "MiB" in answer.err and "incomplete" in answer.err and "limits.query_bytes" in answer.err
    assert audited(daemon, "event.reason: *limits.query_bytes*")


def test_a_reader_that_stops_is_let_go_and_holds_nobody_up(daemon):
    ask = b"GET /api/v1/search?query=* HTTP/1.1\r\nHost: x\r\n\r\n"
    with contextlib.ExitStack() as stuck:
        for _ in range(6):
            stuck.enter_context(asker(daemon, ask))
        # More than are answered at once: the next one waits until one of them is let go, or is told that it waits too long.
        answered = wait(lambda: daemon.yushi("search", "number", "-n", "1").code == 0, "for a place", 100)
        assert answered
    assert audited(daemon, "event.reason: *reader*")


def test_many_at_once_are_answered_or_told_to_come_again(daemon):
    with contextlib.ExitStack() as many:
        asked = [many.enter_context(asker(daemon, b"GET /api/v1/search?query=number+%d&limit=1 HTTP/1.1\r\nConnection: close\r\n\r\n" % i))
                 for i in range(60)]
        said = [read_all(each) for each in asked]
    assert all(each.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 503 ")) for each in said)
    assert all(b"yushi.end" in each or b"ask again later" in each for each in said)
    assert sum(each.startswith(b"HTTP/1.1 200 ") for each in said) >= 4


def test_a_question_ends_at_its_deadline_and_says_so(tmp_path):
    with Daemon(tmp_path, "limits: {query_seconds: 1}\n") as running:
        running.send_tcp(line(i) for i in range(LINES))
        running.wait_records(LINES)
        for more in ("", "&after="):
            with asker(running, f"GET /api/v1/search?query=*{more} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as reader:
                time.sleep(2)  # nothing is read for longer than the question may take; its end is
                got = read_until_end(reader)
            assert b'"complete":false' in got and b"limits.query_seconds" in got


def test_a_question_whose_time_is_over_before_its_turn_ends_incomplete_with_the_bound(tmp_path):
    with Daemon(tmp_path, "limits: {query_seconds: 2}\n") as running, contextlib.ExitStack() as stuck:
        running.send_tcp(line(i) for i in range(LINES))
        running.wait_records(LINES)
        asked = [stuck.enter_context(asker(running, b"GET /api/v1/search?query=* HTTP/1.1\r\nHost: x\r\n\r\n")) for _ in range(12)]
        time.sleep(3)  # nobody reads: the first ones hold their places until their time is over, and so is that of the others
        ends = [read_until_end(each) for each in asked]
        waited = [end for end in ends if b"waited for its turn" in end]
        assert waited and all(b'"complete":false' in end and b"limits.query_seconds" in end for end in waited)


def read_until_end(reader):
    got = b""
    while b"0\r\n\r\n" not in got[-16:]:
        more = reader.recv(1 << 20)
        if not more:
            break
        got = got[-4096:] + more
    return got


def test_a_stop_ends_what_is_being_answered_with_its_reason(tmp_path):
    with Daemon(tmp_path) as running:
        running.send_tcp(line(i) for i in range(1000))
        running.wait_records(1000)
        with asker(running, b"GET /api/v1/search?query=*&follow=1 HTTP/1.1\r\nHost: x\r\n\r\n") as follower:
            got = b""
            while b"number 999" not in got:
                got += follower.recv(1 << 16)
            assert running.stop() == 0
            assert b'"reason":"the daemon is stopping"' in read_all(follower)


def test_the_end_of_a_follower_is_told_with_what_was_asked(tmp_path):
    with Daemon(tmp_path) as running:
        running.send_tcp(line(i) for i in range(3))
        running.wait_records(3)
        with asker(running, b"GET /api/v1/search?query=*&limit=1&follow=1 HTTP/1.1\r\nHost: x\r\n\r\n") as follower:
            got = b""
            while b"number 2 " not in got:
                got += follower.recv(1 << 16)
            running.send_tcp([line(3)])
            while b"number 3 " not in got:
                got += follower.recv(1 << 16)
        (ended,) = audited(running, "event.type: end and yushi.question: search")
        assert ended["yushi"]["parameters"] == {"query": "*", "limit": "1", "follow": "1"}


def test_followers_that_stop_and_read_on_miss_nothing(tmp_path):
    """More of them than are answered at once; each gives up its turn while it stops, and waits for one before it goes on."""
    with Daemon(tmp_path) as running:
        running.send_tcp(line(i) for i in range(3000))  # more than a socket holds
        running.wait_records(3000)
        ask = b"GET /api/v1/search?query=*&follow=1&after=default%3D0 HTTP/1.1\r\nHost: x\r\n\r\n"
        with contextlib.ExitStack() as many:
            followers = [many.enter_context(asker(running, ask)) for _ in range(8)]
            assert wait(lambda: running.yushi("search", "number", "-n", "1").code == 0, "for a place")
            for follower in followers:
                got = b""
                while b"number 2999 " not in got[-4096:]:
                    more = follower.recv(1 << 20)
                    assert more, got[-4096:]
                    got += more
                assert got.count(b'"event":{') == 3000
        assert metric(running, "yushi_questions_refused_total") == 0
        wait(lambda: metric(running, "yushi_questions_running") == metric(running, "yushi_questions_waiting") == 0, "for their end")


# ------------------------------------------------------------------------------------------------- who may ask, and who did


def test_metrics_and_health_are_answered_on_loopback_and_nothing_else(tmp_path):
    port = free_port()
    with Daemon(tmp_path, "") as running:
        running.stop()
        running.config.write_text(running.config.read_text().replace("api: {", f'api: {{listen: "127.0.0.1:{port}", '))
        running.start()

        def get(target, host="logs.example.org"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
            connection.request("GET", target, headers={"Host": host})
            reply = connection.getresponse()
            return reply.status, reply.read()

        assert get("/healthz") == (200, b"ok\n") and get("/readyz")[0] == 200
        assert b"yushi_records_committed_total" in get("/metrics")[1]
        for target in ("/api/v1/status", "/api/v1/search?query=*", "/api/v1/checkpoint"):
            code, words = get(target)
            assert code == 403 and b"unix socket" in words
        assert get("/nothing")[0] == 404
        with contextlib.ExitStack() as silent:
            for _ in range(200):
                silent.enter_context(socket.create_connection(("127.0.0.1", port)))
            assert get("/healthz")[0] == 200 and running.http("/healthz").code == 200


def test_the_socket_belongs_to_the_group_that_the_config_names(tmp_path):
    import grp

    group = grp.getgrgid(os.getgid()).gr_name
    with Daemon(tmp_path, "") as running:
        assert stat.S_IMODE(running.socket.stat().st_mode) == 0o600
        running.stop()
        running.config.write_text(running.config.read_text().replace("api: {", f"api: {{group: {group}, "))
        running.start()
        assert stat.S_IMODE(running.socket.stat().st_mode) == 0o660 and running.socket.stat().st_gid == os.getgid()


def test_a_question_names_its_asker_and_counts_the_proofs_that_came_with_it(tmp_path):
    with Daemon(tmp_path) as running:
        running.send_tcp([line(1)])
        running.wait_records(1)
        running.yushi("search", "first_word")
        (asked,) = audited(running, 'yushi.question: search and "first_word"')
        assert asked["user"]["id"] == str(os.getuid())
        assert asked["yushi"]["proofs"]["checkpoint"] == 1
        # A proof asked for without a question is a record of its own, and so is one that is not said to be a proof.
        running.http("/api/v1/checkpoint?proof_of_answer=1")
        (alone,) = audited(running, "event.action: api-proofs")
        assert alone["yushi"]["proofs"] == {"checkpoint": 1}
        # Proofs that go on and on do not keep the question's record from the log.
        with asker(running) as connection:
            connection.sendall(b"GET /api/v1/search?query=kept_back HTTP/1.1\r\nHost: x\r\n\r\n")
            read_until_end(connection)

            def told():
                connection.sendall(b"GET /api/v1/checkpoint?proof_of_answer=1 HTTP/1.1\r\nHost: x\r\n\r\n")
                read_until_end(connection)
                return running.search('yushi.question: search and "kept_back" and yushi.proofs.checkpoint: *', "--tenant", "_audit")

            wait(told, "for the question's record while proofs of it are asked for")
        running.http("/api/v1/checkpoint?log=default")
        assert audited(running, "event.action: api-checkpoint")


# --------------------------------------------------------------------------------------------------------------- verdict


def test_status_opens_with_its_verdict(tmp_path):
    with Daemon(tmp_path) as running:
        answer = running.yushi("status", "-o", "table")
        assert (answer.code, answer.lines[0]) == (0, "OK"), answer.text
        assert any(each.startswith("disk free: ") and each.endswith("iB") for each in answer.lines)
        said = running.status()
        assert said["verdict"] == "OK" and said["reasons"] == [] and isinstance(said["disk_free_bytes"], int)


def test_a_forwarder_without_a_broker_is_told_once_everywhere(tmp_path):
    port = free_port()
    forward = f'forward:\n  - {{type: kafka, brokers: "127.0.0.1:{port}", topic: t}}\n'
    with Daemon(tmp_path, forward) as running:
        running.send_tcp([line(1)])
        alerts = wait(lambda: [each for each in running.yushi("alerts", "list", "-o", "json").objects
                               if each["rule"]["id"] == "yushid.forwarder-away"], "for the alert")
        assert len(alerts) == 1 and f"127.0.0.1:{port}/t" in alerts[0]["message"]
        assert metric(running, "yushi_forward_up") == 0
        answer = running.yushi("status", "-o", "table")
        assert answer.code == 1 and answer.lines[0].startswith("WARN: forwarder ") and "not been answered since" in answer.text
        (said,) = running.status()["forwarders"]
        assert said["up"] is False and said["away_since"] and said["last_error_at"]
        assert audited(running, "event.action: forwarder-away")
        assert "has not been answered" in (running.folder / "yushid.log").read_text()
