"""Alerts on their way to people: webhooks, mail by a command, syslog; receivers that fail, hang, and come back."""

import email
import email.policy
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading
import time

import pytest

from certificates import Authority
from senders import free_port, log_size, metric, wait, wait_size
from yushi_daemon import DEADLINE_S, Daemon, yushi


class Receiver:
    """An HTTP server that writes down what is posted, and answers as the test says."""

    def __init__(self, port=0, tls=None):
        self.posts = []           # (path, headers, body)
        self.answers = []         # of the next posts: (status, body); then 200
        self.judge = None         # (body) -> (status, body)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, said = receiver.answers.pop(0) if receiver.answers else (
                    receiver.judge(body) if receiver.judge else (200, b'{"errcode":0,"code":0}'))
                receiver.posts.append((self.path, self.headers, body, status))
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}/hook?key=abc"

    @property
    def taken(self):
        return [json.loads(body) for _, _, body, status in self.posts if status == 200]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def config(*routes):
    return "forward:\n" + "".join(f"  - {json.dumps(route)}\n" for route in routes)


def stop_service(daemon, host="web-01"):
    """Raises one alert, of medium severity: a log service was stopped."""
    daemon.send_tcp([f"<30>1 2026-11-01T08:00:00Z {host} systemd 1 - - Stopped System Logging Service."])


def guess(daemon, user="root", address="203.0.113.9"):
    """Raises an alert of high severity: a login after failed ones."""
    lines = [f"<86>1 2026-11-01T08:00:{i:02}Z web-01 sshd 8 - - Failed password for {user} from {address} port 4242 ssh2"
             for i in range(12)]
    daemon.send_tcp(lines + [f"<86>1 2026-11-01T08:00:20Z web-01 sshd 8 - - Accepted password for {user} from {address} port 4242 ssh2"])


def alerts_of(daemon):
    answer = daemon.yushi("alerts", "list", "-o", "json")
    assert answer.code in (0, 1), answer.err
    return answer.objects


def id_of(alert):
    return alert["yushi"]["alert"]["id"]


def ids_sent(receiver):
    return [id_of(alert) for post in receiver.taken for alert in post["alerts"]]


def forwarder(daemon):
    return daemon.status()["forwarders"][0]


def test_a_webhook_gets_each_alert_as_it_stands_in_audit_and_those_that_are_wanted(tmp_path, receiver):
    chosen = Receiver()
    asked = Receiver()
    with Daemon(tmp_path, config(
            {"type": "webhook", "name": "all", "url": receiver.url},
            {"type": "webhook", "name": "chosen", "url": chosen.url, "severity": "high", "rules": ["bruteforce.success"]},
            {"type": "webhook", "name": "asked", "url": asked.url, "select": "host.name: db-07"})) as daemon:
        stop_service(daemon)
        stop_service(daemon, "db-07")
        guess(daemon)
        wait(lambda: any(alert["rule"]["id"] == "bruteforce.success" for alert in alerts_of(daemon)), "for the alerts")
        raised = alerts_of(daemon)
        wait(lambda: len(ids_sent(receiver)) == len(raised), "for all alerts")
        audited = {id_of(alert): alert for alert in
                   (json.loads(record["event"]["original"]) for record in daemon.search("event.kind: alert", "--tenant", "_audit"))}
        for post in receiver.taken:
            assert post["node"] == "e2e"
            for alert in post["alerts"]:
                assert alert == audited[id_of(alert)]
        assert sorted(ids_sent(receiver)) == sorted(map(id_of, raised))
        path, headers, _, _ = receiver.posts[0]
        assert path == "/hook?key=abc" and headers["Content-Type"].startswith("application/json")
        wait(lambda: chosen.posts and asked.posts, "for the others")
        assert [alert["rule"]["id"] for post in chosen.taken for alert in post["alerts"]] == ["bruteforce.success"]
        assert [alert["host"]["name"] for post in asked.taken for alert in post["alerts"]] == ["db-07"]
        (said, _, _) = daemon.status()["forwarders"]
        assert said["name"] == "webhook all" and said["alerts_delivered"] == len(raised) and said["lag"] == 0 and said["up"]
        assert "abc" not in daemon.yushi("status").text + daemon.http("/metrics").body.decode(), "a URL is a password"
    chosen.close()
    asked.close()


def test_chats_get_a_text_in_their_own_form_and_an_answer_with_a_code_is_no_yes(tmp_path):
    (tmp_path / "secret").write_text("SECabc\n")
    forms = {name: Receiver() for name in ("dingtalk", "wecom", "feishu", "slack", "template")}
    routes = [{"type": "webhook", "name": name, "url": at.url, "format": name} for name, at in forms.items() if name != "template"]
    routes[0]["secret_file"] = routes[2]["secret_file"] = str(tmp_path / "secret")
    routes.append({"type": "webhook", "name": "own", "url": forms["template"].url, "template": '{"markdown": {"body": {text}}}'})
    forms["wecom"].answers = [(200, b'{"errcode":45009,"errmsg":"api freq out of limit"}')]
    with Daemon(tmp_path, config(*routes)) as daemon:
        stop_service(daemon, "<!channel>")
        (alert,) = wait(lambda: alerts_of(daemon), "for the alert")
        for at in forms.values():
            wait(lambda: at.posts, "for the message")
        wait(lambda: len(forms["wecom"].posts) == 2, "for the second try")
        texts = {name: at.taken[-1] for name, at in forms.items()}
        assert texts["dingtalk"]["msgtype"] == texts["wecom"]["msgtype"] == "text"
        assert "&timestamp=" in forms["dingtalk"].posts[0][0] and "&sign=" in forms["dingtalk"].posts[0][0]
        assert texts["feishu"]["msg_type"] == "text" and texts["feishu"]["sign"] and texts["feishu"]["timestamp"].isdigit()
        said = {"dingtalk": texts["dingtalk"]["text"]["content"], "feishu": texts["feishu"]["content"]["text"],
                "slack": texts["slack"]["text"], "template": texts["template"]["markdown"]["body"]}
        for name, text in said.items():
            assert id_of(alert) in text and "[medium]" in text and alert["rule"]["name"] in text, name
        assert "<!channel>" not in said["slack"] and "&lt;!channel&gt;" in said["slack"]
    for at in forms.values():
        at.close()


def test_an_alert_that_is_not_taken_is_sent_again_and_none_is_lost_by_a_kill(tmp_path, shows_loss):
    port = free_port()
    first = Receiver(port)
    first.answers = [(500, b"out of order"), (503, b"")]
    with Daemon(tmp_path, config({"type": "webhook", "name": "on-call", "url": first.url})) as daemon:
        stop_service(daemon, "web-01")
        wait(lambda: first.taken, "for the third try")
        assert [post[3] for post in first.posts] == [500, 503, 200]
        assert "answered 500: out of order" in forwarder(daemon)["last_error"] or "503" in forwarder(daemon)["last_error"]
        before = ids_sent(first)
        first.close()

        for host in ("web-02", "web-03", "web-04"):  # nobody is there
            stop_service(daemon, host)
        wait(lambda: len(alerts_of(daemon)) == 4, "for the alerts")
        wait(lambda: forwarder(daemon)["lag"] == 3, "for three that wait")
        wait(lambda: metric(daemon, "yushi_forward_up") == 0, "to be told")
        daemon.kill()
        daemon.start()
        stop_service(daemon, "web-05")
        wait(lambda: forwarder(daemon)["lag"] == 4, "for four that wait")
        second = Receiver(port)
        raised = sorted(map(id_of, alerts_of(daemon)))
        wait(lambda: len(set(before + ids_sent(second))) == len(raised) == 5, "for all alerts")
        assert sorted(set(before + ids_sent(second))) == raised
        wait(lambda: forwarder(daemon)["lag"] == 0 and metric(daemon, "yushi_forward_up") == 1, "to be told")
        time.sleep(1)  # its place is stored
        count = len(second.posts)
        daemon.kill()
        daemon.start()
        stop_service(daemon, "web-06")
        wait(lambda: len(ids_sent(second)) > 4 and id_of(alerts_of(daemon)[-1]) in ids_sent(second), "for the last")
        assert len(second.posts) == count + 1, "what was taken comes again"
        second.close()
    shows_loss("route-away")


def test_a_receiver_that_hangs_is_told_and_holds_nobody_up(tmp_path, shows_loss):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with Daemon(tmp_path, config({"type": "webhook", "name": "on-call", "url": url})) as daemon:
            stop_service(daemon)
            wait(lambda: "no answer within" in forwarder(daemon)["last_error"], "for the first error")
            daemon.send_tcp([f"<13>1 2026-11-01T08:00:00Z h a - - - {i}" for i in range(2000)])
            wait_size(daemon, 2001)
            told = wait(lambda: [each for each in alerts_of(daemon) if each["rule"]["id"] == "yushid.forwarder-away"], "for the alert")
            assert "webhook on-call" in told[0]["message"] and "no answer within" in told[0]["message"]
            answer = daemon.yushi("status")
            assert answer.code == 1 and "webhook on-call has not been answered since" in answer.text
            began = time.monotonic()
            assert daemon.stop() == 0
            assert time.monotonic() - began < DEADLINE_S, "a stop does not wait for who hangs"
    shows_loss("route-failure")


def test_one_alert_whose_words_are_refused_does_not_stop_the_others(tmp_path, receiver, shows_loss):
    receiver.judge = lambda body: (403, b"blocked by a wall") if b"etc/passwd" in body else (200, b"")
    with Daemon(tmp_path, config({"type": "webhook", "name": "walled", "url": receiver.url})) as daemon:
        stop_service(daemon, "a/etc/passwd")
        stop_service(daemon, "web-02")
        wait(lambda: len(alerts_of(daemon)) == 2, "for the alerts")
        wait(lambda: len(set(ids_sent(receiver))) == 2, "for both")
        (brief,) = [alert for post in receiver.taken for alert in post["alerts"] if alert["yushi"].get("truncated")]
        assert brief["yushi"]["alert"]["severity"] == "medium" and "reason" not in brief["yushi"]["alert"]
    shows_loss("route-refused")


def test_over_tls_a_certificate_of_another_authority_gets_nothing(tmp_path):
    ca, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "stranger")
    good, bad = Receiver(tls=ca.issue("127.0.0.1")), Receiver(tls=stranger.issue("127.0.0.1"))
    (tmp_path / "url").write_text(good.url + "\n")
    (tmp_path / "token").write_text("s3cret\n")
    with Daemon(tmp_path / "d", config(
            {"type": "webhook", "name": "good", "url_file": str(tmp_path / "url"), "token_file": str(tmp_path / "token"),
             "tls": {"ca": str(ca.cert)}},
            {"type": "webhook", "name": "bad", "url": bad.url, "tls": {"ca": str(ca.cert)}})) as daemon:
        stop_service(daemon)
        wait(lambda: good.taken, "for the alert")
        assert good.posts[0][1]["Authorization"] == "Bearer s3cret"
        wait(lambda: "certificate" in daemon.status()["forwarders"][1]["last_error"], "for the refusal")
        assert bad.posts == []
    good.close()
    bad.close()


def test_a_flood_becomes_a_digest_by_mail(tmp_path):
    box = tmp_path / "box"
    box.mkdir()
    command = tmp_path / "mailer"
    command.write_text(f"#!/bin/sh\n[ -e {tmp_path}/broken ] && {{ echo 'relay refuses' >&2; exit 75; }}\n"
                       f"[ \"$1\" = -t ] || exit 64\n[ -z \"$YUSHI_TEST\" ] || exit 1\nls /proc/self/fd | wc -l > {tmp_path}/fds\n"
                       f"cat > {tmp_path}/part && mv {tmp_path}/part {box}/$(ls {box} | wc -l)\n")
    command.chmod(0o755)
    os.environ["YUSHI_TEST"] = "of the daemon alone"
    (tmp_path / "broken").touch()

    def mails():
        return [email.message_from_bytes((box / str(i)).read_bytes(), policy=email.policy.default)
                for i in range(len(os.listdir(box)))]

    with Daemon(tmp_path / "d", config({"type": "mail", "name": "auditors", "command": [str(command), "-t"], "per_minute": 2,
                                        "from": "Yushi <yushi@gov.example>", "to": ["a@gov.example", "b@gov.example"]})) as daemon:
        del os.environ["YUSHI_TEST"]
        stop_service(daemon, "财务-01")
        wait(lambda: "ended 75: relay refuses" in forwarder(daemon)["last_error"], "for the refusal")
        (tmp_path / "broken").unlink()
        wait(mails, "for the mail")
        (alert,) = alerts_of(daemon)
        (mail,) = mails()
        assert mail["From"] == "Yushi <yushi@gov.example>" and mail["To"] == "a@gov.example, b@gov.example"
        assert mail["Subject"].startswith("[medium] ") and mail["Subject"].endswith("财务-01")
        assert mail["Message-ID"].startswith(f"<{id_of(alert)}.") and mail["Date"].datetime.year >= 2024
        assert alert["yushi"]["alert"]["reason"] in mail.get_content() and id_of(alert) in mail.get_content()
        assert all(byte < 128 for byte in (box / "0").read_bytes())
        assert int((tmp_path / "fds").read_text()) <= 5, "the command has open files of the daemon's"

        for i in range(20):
            stop_service(daemon, f"web-{i}")
        wait(lambda: len(alerts_of(daemon)) == 21, "for the alerts")
        raised = set(map(id_of, alerts_of(daemon)))
        wait(lambda: raised <= {each for each in raised if any(each in mail.get_content() for mail in mails())}, "for all of them",
             seconds=180)
        assert len(mails()) <= 5, "a flood of alerts is a flood of mails"
        assert any(" alerts: " in mail["Subject"] for mail in mails())


class Listener:
    """A syslog receiver over TCP: what came, octet counted."""

    def __init__(self, port, tls=None):
        self.bytes, self.connections = b"", []
        self.server = socket.create_server(("127.0.0.1", port))
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server = context.wrap_socket(self.server, server_side=True)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except ssl.SSLError:
                continue
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.read, args=(connection,), daemon=True).start()

    def read(self, connection):
        try:
            while got := connection.recv(65536):
                self.bytes += got
        except OSError:
            pass

    @property
    def messages(self):
        out, left = [], self.bytes
        while left:
            count, _, rest = left.partition(b" ")
            assert len(rest) >= int(count), left
            out.append(rest[:int(count)].decode())
            left = rest[int(count):]
        return out

    def close(self):
        for each in (self.server, *self.connections):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()


def alerts_in(messages):
    return [id_of(json.loads(message.split(" - alert - ", 1)[1])) for message in messages]


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_syslog_over_a_stream_goes_on_when_the_receiver_is_back(tmp_path, transport, shows_loss):
    ca = Authority(tmp_path / "ca")
    tls = ca.issue("127.0.0.1") if transport == "tls" else None
    port = free_port()
    first = Listener(port, tls)
    route = {"type": "syslog", "name": "siem", "address": f"127.0.0.1:{port}", "transport": transport}
    if tls:
        route["tls"] = {"ca": str(ca.cert)}
    with Daemon(tmp_path / "d", config(route)) as daemon:
        stop_service(daemon, "web-01")
        guess(daemon)
        raised = wait(lambda: len(alerts_of(daemon)) >= 2 and alerts_of(daemon), "for the alerts")
        wait(lambda: len(first.messages) == len(raised), "for the messages")
        by_severity = {"medium": "<108>1 ", "high": "<107>1 ", "low": "<109>1 ", "informational": "<110>1 ", "critical": "<106>1 "}
        for message, alert in zip(first.messages, raised):
            assert message.startswith(by_severity[alert["yushi"]["alert"]["severity"]])
            assert message.split(" ")[2:4] == ["e2e", "yushid"]
        assert alerts_in(first.messages) == [id_of(alert) for alert in raised]
        first.close()
        for i in range(5):
            stop_service(daemon, f"db-{i}")
        wait(lambda: forwarder(daemon)["lag"] == 5, "for those that wait")
        second = Listener(port, tls)
        wait(lambda: forwarder(daemon)["lag"] == 0, "for all to be sent")
        wait(lambda: set(alerts_in(first.messages + second.messages)) == set(map(id_of, alerts_of(daemon))), "for all of them")
        second.close()
    shows_loss("route-syslog")


def test_a_real_rsyslog_takes_what_is_sent_over_tcp_and_udp(tmp_path):
    out, tcp, udp = tmp_path / "out", free_port(), free_port(socket.SOCK_DGRAM)
    rules = tmp_path / "rsyslog.conf"
    rules.write_text(f'global(workDirectory="{tmp_path}" maxMessageSize="64k")\nmodule(load="imtcp")\nmodule(load="imudp")\n'
                     f'template(name="t" type="string" string="%inputname% %pri% %hostname% %app-name% %msgid% %msg%\\n")\n'
                     f'input(type="imtcp" address="127.0.0.1" port="{tcp}" ruleset="r")\n'
                     f'input(type="imudp" address="127.0.0.1" port="{udp}" ruleset="r")\n'
                     f'ruleset(name="r") {{ action(type="omfile" file="{out}" template="t") }}\n')
    rsyslog = subprocess.Popen(["/usr/sbin/rsyslogd", "-n", "-f", rules, "-i", tmp_path / "pid"], stderr=subprocess.DEVNULL)
    try:
        with Daemon(tmp_path / "d", config(
                {"type": "syslog", "name": "tcp", "address": f"127.0.0.1:{tcp}"},
                {"type": "syslog", "name": "udp", "address": f"127.0.0.1:{udp}", "transport": "udp"})) as daemon:
            wait(lambda: all(each["up"] for each in daemon.status()["forwarders"]), "for rsyslog")
            stop_service(daemon)
            guess(daemon)
            raised = wait(lambda: len(alerts_of(daemon)) >= 2 and alerts_of(daemon), "for the alerts")
            wait(lambda: out.exists() and len(out.read_text().splitlines()) >= 2 * len(raised), "for rsyslog's file")
            for via in ("imtcp", "imudp"):
                lines = [line.split(" ", 5) for line in out.read_text().splitlines() if line.startswith(via + " ")]
                assert [line[2:5] for line in lines] == [["e2e", "yushid", "alert"]] * len(raised)
                assert [id_of(json.loads(line[5])) for line in lines] == [id_of(alert) for alert in raised]
    finally:
        rsyslog.terminate()
        rsyslog.wait()


def test_what_is_wrong_in_a_route_is_told_with_its_place(tmp_path):
    (tmp_path / "empty").touch()
    wrong = [
        ({"type": "webhook", "url": "https://h/"}, "forward.name: missing"),
        ({"type": "webhook", "name": "Über", "url": "https://h/"}, "forward.name: must match"),
        ({"type": "webhook", "name": "a", "url": "ftp://h/"}, "forward.url: it must begin with https:// or http://"),
        ({"type": "webhook", "name": "b"}, "forward.url: give url, or url_file"),
        ({"type": "webhook", "name": "c", "url_file": str(tmp_path / "empty")}, "forward.url_file: "),
        ({"type": "webhook", "name": "d", "url": "https://h/", "format": "teams"}, 'forward.format: "teams" is none of'),
        ({"type": "webhook", "name": "e", "url": "https://h/", "template": '{"a": "{text}"}'}, "forward.template: must be JSON"),
        ({"type": "webhook", "name": "f", "url": "https://h/", "severity": "severe"}, 'forward.severity: "severe" is none of'),
        ({"type": "webhook", "name": "g", "url": "https://h/", "tls": {"ca": "/nowhere"}}, "forward.tls.ca: there is no file"),
        ({"type": "webhook", "name": "h", "url": "https://h/", "topic": "t"}, "forward.topic: unknown key"),
        ({"type": "mail", "name": "i", "to": ["a@b"]}, "forward.command: missing"),
        ({"type": "mail", "name": "j", "command": ["sendmail"], "to": ["a@b"]}, "must be an absolute path"),
        ({"type": "mail", "name": "k", "command": ["/bin/true"], "to": ["a@b\nBcc: c@d"]}, "forward.to: must be addresses"),
        ({"type": "syslog", "name": "l", "address": "host"}, "forward.address: must be host:port"),
        ({"type": "syslog", "name": "m", "address": "h:1", "tls": {}}, "forward.tls: is for transport: tls"),
        ({"type": "syslog", "name": "m", "address": "h:2"}, "forward.name: another forwarder sends to m already"),
    ]
    daemon = Daemon(tmp_path / "d", config(*[route for route, _ in wrong]))
    done = subprocess.run([daemon.program, "--config", daemon.config, "--check"], capture_output=True, text=True)
    assert done.returncode == 2
    lines = (done.stdout + done.stderr).splitlines()
    for number, (route, words) in enumerate(wrong):
        at = len(daemon.config.read_text().splitlines()) - len(wrong) + number + 1
        assert any(line.startswith(f"{daemon.config}:{at}:") and words in line for line in lines), (route, words, lines)


def test_a_route_that_is_new_brings_no_old_news_and_keeps_its_place_when_it_moves(tmp_path, receiver):
    moved = Receiver()
    with Daemon(tmp_path) as daemon:
        stop_service(daemon, "web-01")
        wait(lambda: alerts_of(daemon), "for the alert")
        assert daemon.stop() == 0
        base = daemon.config.read_text()
        daemon.config.write_text(base + config({"type": "webhook", "name": "on-call", "url": receiver.url}))
        daemon.start()
        stop_service(daemon, "web-02")
        wait(lambda: receiver.taken, "for the alert")
        time.sleep(1)  # its place is stored
        daemon.config.write_text(base + config({"type": "webhook", "name": "on-call", "url": moved.url}))
        assert daemon.stop() == 0
        daemon.start()
        stop_service(daemon, "web-03")
        wait(lambda: moved.taken, "for the alert")
        hosts = [alert["host"]["name"] for at in (receiver, moved) for post in at.taken for alert in post["alerts"]]
        assert hosts == ["web-02", "web-03"]
    moved.close()
