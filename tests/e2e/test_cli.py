"""The CLI against a real daemon and against its store. What is only asked and compared stands in tests/cases/cli."""

import base64
import contextlib
import csv
import json
import os
import pty
import shlex
import shutil
import signal
import subprocess
import time

import pytest

from senders import wait
from yushi_daemon import BIN, DEADLINE_S, Daemon, yushi

LINES = [
    b"<86>1 2026-11-01T08:00:00.125Z web1 sshd 4242 - - Failed password for root from 10.0.0.1 port 4242 ssh2",
    b"<86>1 2026-11-01T08:00:01Z web1 sshd 4242 - - Accepted password for alice from 10.0.0.2 port 4243 ssh2",
    b"<34>1 2026-11-01T09:30:00Z db1 mysqld - - - disk full",
    b"<13>1 2026-11-01T10:00:00Z db1 app - - - escape \x1b[31mred \x00 nul",
    "<13>1 2026-11-01T10:00:01Z db2 app - - - 登录失败".encode("gb18030"),
    b"<13>1 2026-11-02T00:00:00Z web2 app - - - next day",
]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("cli")) as running:
        running.send_tcp(LINES)
        running.wait_records(len(LINES))
        yield running


def test_the_rate_of_few_records_is_taken_over_a_minute(tmp_path):
    with Daemon(tmp_path / "rate") as running:
        running.send_udp(LINES[:3])
        running.wait_records(3)
        (source,) = running.yushi("sources", "-o", "json").objects
        assert source["records_per_second"] == 0.05
        head, row = running.yushi("sources", "-o", "csv").lines
        assert row.split(",")[head.split(",").index("per s")] == "0.0500"


def test_the_audit_log_is_searched_only_when_named(daemon):
    assert daemon.yushi("search", "*", "--tenant", "_audit").code == 0
    assert all(record["event"]["id"].startswith("default/") for record in daemon.search("*"))


def test_a_tenant_taken_out_of_the_config_keeps_its_log(tmp_path):
    tenants = 'tenants:\n  - {name: a, match: {cidr: ["127.0.0.0/8"]}, charset: gb18030, retention: {days: 400}}\n'
    with Daemon(tmp_path, tenants) as daemon:
        daemon.send_tcp([f"<13>1 - web-01 app {i} - - of tenant a".encode() + "失败".encode("gb18030") for i in range(3)])
        daemon.wait_records(3, "a")
        daemon.kill()
    with Daemon(tmp_path) as daemon:
        assert [record["message"] for record in daemon.search("*", "--tenant", "a")] == ["of tenant a失败"] * 3
        daemon.send_tcp(["<13>1 - web-01 app 9 - - of nobody"])
        daemon.wait_records(1)
        assert daemon.records("a") == 3
        checkpoints = daemon.yushi("checkpoint", "-o", "json").objects
        assert "a" in [said["log"] for said in checkpoints]
        assert daemon.yushi("verify").code == 0
        assert daemon.stop() == 0
    store = ["--store", daemon.data]
    assert [log["tail_records"] for log in yushi("status", *store, "-o", "json", state=daemon.state).objects
            if log.get("log") == "a"] == [0], "what was left open is sealed"
    assert yushi("verify", *store, state=daemon.state).code == 0
    with Daemon(tmp_path, tenants) as daemon:
        daemon.send_tcp(["<13>1 - web-01 app 4 - - of tenant a again"])
        daemon.wait_records(4, "a")
        assert len(daemon.search("*", "--tenant", "a")) == 4


def test_each_question_is_a_record_in_the_audit_log(daemon):
    daemon.search("a_word_to_find_again")
    found = []
    for _ in range(100):
        found = daemon.search("a_word_to_find_again", "--tenant", "_audit")
        if found:
            break
        time.sleep(0.1)
    assert found and found[0]["event"]["action"] == "api-search"


@contextlib.contextmanager
def open_follower(running, state, *options):
    follower = subprocess.Popen(
        [BIN / "yushi", "search", "-f", "*", "-o", "raw", "--server", f"unix:{running.socket}", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"XDG_STATE_HOME": str(state), "TZ": "UTC"})
    try:
        yield follower
    finally:
        follower.kill()
        follower.wait()


def test_follow_goes_on_in_the_order_of_arrival(tmp_path):
    with Daemon(tmp_path / "follow") as running:
        running.send_tcp([LINES[0]])
        running.wait_records(1)
        with open_follower(running, tmp_path) as follower:
            assert follower.stdout.readline() == LINES[0] + b"\n"
            running.send_tcp([LINES[5]])
            assert follower.stdout.readline() == LINES[5] + b"\n"
            running.send_tcp([LINES[1]])  # older, but it came later
            assert follower.stdout.readline() == LINES[1] + b"\n"


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_follower_says_that_the_daemon_is_gone(tmp_path, end):
    with Daemon(tmp_path / "follow") as running:
        running.send_tcp(LINES)
        running.wait_records(len(LINES))
        with open_follower(running, tmp_path) as follower:
            assert follower.stdout.readline() == LINES[0] + b"\n"
            running.send_tcp([LINES[1]])  # once more, in a round of its own
            assert [follower.stdout.readline() for _ in LINES][-1] == LINES[1] + b"\n"
            getattr(running, end)()
            assert follower.wait(DEADLINE_S) == 3
            err = follower.stderr.read().decode()
            why = {"kill": "the answer broke off before its end: the daemon is gone", "stop": "the daemon is stopping"}[end]
            assert f"the answer is incomplete: {why}" in err


def test_an_interrupted_follower_ends_0(tmp_path):
    with Daemon(tmp_path / "follow") as running:
        running.send_tcp([LINES[0]])
        running.wait_records(1)
        with open_follower(running, tmp_path) as follower:
            assert follower.stdout.readline() == LINES[0] + b"\n"
            follower.send_signal(signal.SIGINT)
            assert follower.wait(DEADLINE_S) == 0 and follower.stderr.read() == b""


def test_follow_begins_with_the_newest_10(tmp_path):
    lines = [b"<13>1 2026-11-01T08:00:%02dZ web1 app - - - number %d" % (i, i) for i in range(12)]
    with Daemon(tmp_path / "follow") as running:
        running.send_tcp(lines)
        running.wait_records(len(lines))
        with open_follower(running, tmp_path) as follower:
            assert [follower.stdout.readline() for _ in range(10)] == [line + b"\n" for line in lines[2:]]
        with open_follower(running, tmp_path, "--since", "2026-11-01") as follower:
            assert [follower.stdout.readline() for _ in lines] == [line + b"\n" for line in lines]


def test_sources_and_status_and_checkpoint(daemon):
    (source,) = daemon.yushi("sources", "-o", "json").objects
    assert (source["tenant"], source["source"], source["records"]) == ("default", "127.0.0.1", len(LINES))
    logs = {said["log"]: said for said in daemon.yushi("status", "-o", "json").objects if "log" in said}
    assert logs["default"]["records"] == len(LINES) and "_audit" in logs
    note = daemon.yushi("checkpoint", "default").lines
    assert note[:2] == ["e2e/default", str(len(LINES))] and note[4].startswith("— e2e/default ")


def test_sources_tell_losses_by_the_senders_own_numbers_and_all_transports(tmp_path, shows_loss):
    numbered = lambda number: f'<86>1 2026-11-01T08:00:00Z web1 app - - [meta sequenceId="{number}"] said'
    with Daemon(tmp_path / "losses") as running:
        running.send_udp([LINES[0]])
        running.wait_records(1)
        (source,) = running.yushi("sources", "-o", "json").objects
        assert (source["losses"], source["transports"]) == (None, ["udp"])
        running.send_tcp([numbered(n) for n in [*range(1, 10), *range(13, 20)]])
        running.wait_records(17)
        for _ in range(2):
            (source,) = running.yushi("sources", "-o", "json").objects
            assert (source["losses"], source["transports"]) == (3, ["udp", "tcp"])
            (row,) = csv.DictReader(running.yushi("sources", "-o", "csv").lines)
            assert (row["losses"], row["transports"]) == ("3", "udp,tcp")
            head, row = running.yushi("sources", "-o", "table").lines
            assert (head.split()[-1], row.split()[-1]) == ("losses", "3")
            running.kill()
            running.start()
        running.send_udp([numbered(11)])  # it was only late
        running.wait_records(18)
        (source,) = running.yushi("sources", "-o", "json").objects
        assert source["losses"] == 2
        assert b'"losses":2' in running.http("/api/v1/sources").body.replace(b" ", b"")
        assert running.stop() == 0
    assert yushi("verify", "--store", running.data, state=tmp_path).code == 0
    shows_loss("udp-path")


def test_the_store_alone_answers_as_the_daemon_does(daemon, tmp_path):
    for question in (["search", "*"], ["search", "* | stats count() by host.name", "-o", "json"], ["sources", "-o", "csv"]):
        from_daemon, from_store = daemon.yushi(*question), yushi(*question, "--store", daemon.data, state=tmp_path)
        assert from_store.code == from_daemon.code == 0, from_store.err
        if question[0] == "search":
            assert from_store.out == from_daemon.out


def test_alerts_are_listed_and_shown_with_the_records_behind_them(tmp_path):
    line = b"<86>1 2026-11-01T08:00:00Z web-01 useradd 911 - - new user: name=toor, UID=0, GID=0, home=/root, shell=/bin/bash"
    with Daemon(tmp_path / "alerts") as running:
        assert running.yushi("alerts", "list").code == 1
        running.send_tcp([LINES[2], line])
        running.wait_records(2)
        alerts = running.yushi("alerts", "list", "-o", "json").objects
        named = [alert for alert in alerts if alert["rule"]["name"] == "Account with the number of root"]
        assert len(named) == 1 and named[0]["yushi"]["alert"]["records"] == ["default/1"]
        assert named == [a for a in running.yushi("alerts", "-o", "json").objects if a["rule"] == named[0]["rule"]]
        shown = running.yushi("alerts", "show", named[0]["yushi"]["alert"]["id"], "-o", "table")
        assert shown.code == 0
        assert "reason      " + named[0]["yushi"]["alert"]["reason"] in shown.text and "new user: name=toor" in shown.text
        raw = running.yushi("alerts", "show", named[0]["yushi"]["alert"]["id"], "-o", "raw")
        assert raw.out == line + b"\n"
        id, reason = named[0]["yushi"]["alert"]["id"], named[0]["yushi"]["alert"]["reason"]
        assert running.yushi("alerts", "show", id).text == shown.text, "in a pipe too"
        alert, records = running.yushi("alerts", "show", id, "-o", "csv").text.split("\n\n")
        (alert,), (record,) = (list(csv.DictReader(rows.splitlines())) for rows in (alert, records))
        assert (alert["id"], alert["reason"], record["event.id"]) == (id, reason, "default/1")
        table = running.yushi("alerts", "list", "-o", "table", "-n", "1").lines
        assert table[0].split() == ["raised", "event", "time", "id", "severity", "state", "tenant", "rule", "reason"] and len(table) == 2
        assert running.yushi("alerts", "show", "0123456789abcdef").code == 1
        # The alert is a record of `_audit` too, so that it cannot be removed unseen.
        assert running.search(f'"{named[0]["yushi"]["alert"]["id"]}"', "--tenant", "_audit")


def test_tenants_have_logs_and_charsets_of_their_own(tmp_path):
    tenant = 'tenants:\n  - {name: finance, match: {cidr: ["127.0.0.1/32"]}, timezone: Asia/Shanghai, charset: gb18030}\n'
    with Daemon(tmp_path / "tenants", tenant) as running:
        running.send_tcp([LINES[4], b"<13>Nov  1 18:00:00 db9 app: local time"])
        running.wait_records(2, "finance")
        by_host = {record["host"]["name"]: record for record in running.search("*", "--tenant", "finance")}
        assert by_host["db9"]["event"]["id"] == "finance/1"
        assert by_host["db9"]["@timestamp"].endswith("-11-01T10:00:00.000Z")  # the year is the one nearest to now
        assert "登录失败" in by_host["db2"]["event"]["original"]
        assert running.yushi("search", "db2", "--tenant", "finance", "-o", "raw").out == LINES[4] + b"\n"
        assert running.records("default") == 0 and running.yushi("search", "*", "--tenant", "default").code == 1
        assert running.yushi("verify").code == 0


OA_PARSER = """
name: oa
match: {app: [oa]}
fields: {event.category: [authentication]}
patterns:
  - name: login
    grok: '用户登录(?:失败|成功)，姓名=%{NOTSPACE:user.name} 来自 %{IP:source.ip}(?:\\|原因：%{GREEDYDATA:oa.reason})?'
    fields: {event.action: login}
tests:
  - {line: '用户登录失败，姓名=张三 来自 10.0.0.1|原因：口令错误', expect: {user.name: 张三, oa.reason: 口令错误}}
"""
OA_RULE = """
title: Login of the eastern one failed
id: 5b0c6cf0-6d2e-4c5f-9a53-1c6b1f1d3b10
level: high
logsource: {product: yushi}
detection:
  s: {user.name|contains: 億東, message|contains: 登录失败}
  condition: s
"""


def test_a_tenant_that_writes_gb18030_is_parsed_searched_and_proved_by_its_text(tmp_path):
    for folder, text in (("parsers", OA_PARSER), ("rules", OA_RULE)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"oa.{'yaml' if folder == 'parsers' else 'yml'}").write_text(text, encoding="utf-8")
    config = ('tenants:\n  - {name: finance, match: {cidr: ["127.0.0.1/32"]}, charset: gb18030}\n'
              f"parsers: [{tmp_path / 'parsers'}]\ndetect: {{rules: [{tmp_path / 'rules'}]}}\n")
    said = lambda n, text: f"<86>1 2026-11-01T08:00:0{n}Z db{n} oa {n} - - {text}"
    texts = [said(0, "用户登录失败，姓名=張億東 来自 10.0.0.1|原因：口令错误"), said(1, "用户登录成功，姓名=李四 来自 10.0.0.2"),
             said(2, "磁盘已满 | 東億"), said(3, "用户登录失败，姓名=張億東 来自 10.0.0.3"), said(4, "plain ASCII")]
    lines = [text.encode("gb18030") for text in texts]
    lines[3] = texts[3].encode("utf-8")  # one sender writes UTF-8
    lines.append(said(5, "用户登录失败，姓名=").encode("gb18030") + b"\xff" + "王五 来自 10.0.0.5".encode("gb18030"))
    asked = {"用户登录失败": [0, 3, 5], 'message: "登录失败"': [0, 3, 5], "登录失败 and 口令": [0], "user.name: 張億東": [0, 3],
             "user.name: *東": [0, 3], "user.name: 李*": [1], "message ~ /登录(成功|失败)，姓名=.億/": [0, 3], "oa.reason ~ /^口令/": [0],
             "東": [0, 2, 3], "磁盘": [2], '"已满 東"': [2], "ascii": [4], "user.name ~ /王五$/": [5], "event.action: login": [0, 1, 3, 5],
             "失登": [], "user.name: 張億": [], "盘磁": [], "message ~ /[|]東/": []}

    def check(ask):
        for query, expected in asked.items():
            found = ask("search", query, "-o", "raw")
            assert found.code == (0 if expected else 1), (query, found.err)
            assert found.out == b"".join(lines[i] + b"\n" for i in expected), query
        rows = ask("search", "event.action: login | stats count() by user.name | sort count() desc, user.name", "-o", "csv").text.splitlines()
        assert rows == ["user.name,count()", "張億東,2", "李四,1", "\ufffd王五,1"]
        (first,) = ask("search", "口令", "-o", "json").objects
        assert first["event"]["original"] == texts[0] and first["oa"]["reason"] == "口令错误" and first["message"] in texts[0]
        assert base64.b64decode(first["yushi"]["raw_base64"]) == lines[0]
        assert "姓名=張億東" in ask("search", "口令", "-o", "table").text

    with Daemon(tmp_path / "gb18030", config) as running:
        running.send_tcp(lines)
        running.wait_records(len(lines), "finance")
        check(running.yushi)  # in the tail
        alerts = running.yushi("alerts", "list", "-o", "json").objects
        named = [a["yushi"]["alert"]["records"] for a in alerts if a["rule"]["name"] == "Login of the eastern one failed"]
        assert sorted(named) == [["finance/0"], ["finance/3"]]
        verified = running.yushi("verify")
        assert verified.code == 0, verified.text + verified.err
        running.stop()  # which seals
        check(lambda *question: yushi(*question, "--store", running.data, state=tmp_path))
        verified = yushi("verify", "--store", running.data, state=tmp_path)
        assert verified.code == 0, verified.text + verified.err


def test_a_reader_that_leaves_early_is_no_error(daemon):
    command = f"{BIN}/yushi search '*' --server unix:{daemon.socket} -o raw; echo $? >&2"
    piped = subprocess.run(["bash", "-c", f"({command}) | head -c 10"], capture_output=True,
                           env={"XDG_STATE_HOME": str(daemon.state), "PATH": "/usr/bin:/bin"})
    assert piped.stdout == LINES[0][:10] and piped.stderr.strip() == b"0"


@pytest.mark.parametrize("stdout", [">/dev/full", ">&-"])
def test_what_cannot_be_written_is_said_and_ends_2(daemon, tmp_path, stdout):
    """An evidence file that a full disk cut short must not look like all there is."""
    useradd = b"<86>1 2026-11-01T08:00:00Z web-01 useradd 911 - - new user: name=toor, UID=0, GID=0, home=/root, shell=/bin/bash"
    with Daemon(tmp_path / "full") as running:
        running.send_tcp(LINES + [useradd])
        running.wait_records(len(LINES) + 1)
        asks = [f"search '*' -o {kind}" for kind in ("raw", "json", "csv", "table")]
        asks += ["search '* | stats count() by host.name'", "hist '*'", "hist '*' -o table", "alerts", "checkpoint", "verify", "status",
                 "sources"]
        asks = [f"{ask} --server unix:{running.socket}" for ask in asks] + [f"search '*' --store {running.data}"]
        for ask in asks + ["parsers list", "rules list", "rules list -o json", "parsers check", "parse", "parse --stats", "--help",
                           "search --help", "--version"]:
            done = subprocess.run(["bash", "-c", f"{BIN}/yushi {ask} {stdout}"], input=LINES[0] + b"\n", capture_output=True,
                                  env={"XDG_STATE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
            assert done.returncode == 2 and b"writing to stdout" in done.stderr, (ask, done)


# ------------------------------------------------------------------------------------------------------ without a store


def test_parse_names_the_datasets_there_are():
    answer = yushi("parse", "--dataset", "nosuch", stdin=LINES[0])
    assert (answer.code, answer.out) == (2, b"") and "nosuch" in answer.err and "nginx.access" in answer.err
    assert yushi("parse", "--dataset", "nginx.access", stdin=LINES[0]).code == 0


def test_parse_explains_what_it_did():
    explained = yushi("parse", "--explain", stdin=LINES[0] + b"\n").text
    assert "parser   sshd" in explained and "user.name=root" in explained
    assert "登录失败" in yushi("parse", "--charset", "gb18030", "--explain", stdin=LINES[4]).text


def test_parse_takes_a_file_after_a_folder_of_parsers(tmp_path):
    (tmp_path / "lines").write_bytes(LINES[0] + b"\n")
    (tmp_path / "more").mkdir()
    (record,) = yushi("parse", "--parsers", tmp_path / "more", "--parsers", tmp_path / "more", tmp_path / "lines").objects
    assert record["user"]["name"] == "root"


def test_our_own_parsers_and_rules_hold():
    for command in (["parsers", "check"], ["parsers", "test"], ["parsers", "test", "--hostile"], ["rules", "check"], ["rules", "test"]):
        answer = yushi(*command)
        assert answer.code == 0, (command, answer.text, answer.err)
    assert any(parser["parser"] == "sshd" for parser in yushi("parsers", "list", "-o", "json").objects)
    assert yushi("rules", "list", "-o", "json").code == 0


def test_a_wrong_parser_file_is_2_and_a_failing_case_1(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: wrong\nmatch: {app: [wrong]}\npatterns: 7\n")
    answer = yushi("parsers", "check", wrong)
    assert answer.code == 2 and "wrong.yaml:3:" in answer.text
    failing = tmp_path / "failing.yaml"
    failing.write_text("name: failing\nmatch: {app: [failing]}\npatterns:\n  - name: one\n    grok: 'one %{WORD:failing.word}'\n"
                       "tests:\n  - {line: 'one word', expect: {failing.word: another}}\n")
    assert yushi("parsers", "test", failing).code == 1
    forged = tmp_path / "forged.yaml"
    forged.write_text("name: forged\nmatch: {app: [forged]}\npatterns:\n  - name: one\n    grok: 'login of %{DATA:user.name} from %{IP:source.ip}%{DATA}'\n"
                      "tests:\n  - {line: 'login of ann from 10.0.0.1', expect: {source.ip: 10.0.0.1}}\n  - {line: 'x', expect: none}\n")
    assert yushi("parsers", "test", forged).code == 0
    answer = yushi("parsers", "test", "--hostile", forged)
    assert answer.code == 1 and "forged.yaml:7:5: " in answer.text and "source.ip" in answer.text


def test_each_command_shows_an_example():
    for command in ("search", "hist", "alerts", "sources", "status", "verify", "checkpoint", "parse", "parsers", "rules"):
        answer = yushi(command, "--help")
        assert answer.code == 0 and "Example" in answer.text, command


@pytest.mark.parametrize("line, offered", [
    ("yushi al", {"alerts"}),
    ("yushi alerts s", {"show"}),
    ("yushi alerts list --sin", {"--since"}),
    ("yushi search 'a b' --output j", {"json"}),
    ("yushi search x --since ", set()),
])
def test_bash_completes_commands_options_and_their_values(line, offered):
    words = shlex.split(line) + ([""] if line.endswith(" ") else [])
    script = yushi("--completion", "bash").out.decode()
    script += f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}; _yushi; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert said.stderr == "" and set(said.stdout.split()) == offered


@pytest.mark.parametrize("line, completed", [
    ("yushi al", "yushi alerts "),
    ("yushi alerts s", "yushi alerts show "),
    ("yushi rules l", "yushi rules list "),
    ("yushi alerts list --sin", "yushi alerts list --since "),
    ("yushi search 'a b' --output j", "yushi search 'a b' --output json "),
    ("yushi search x --store ./only-fold", "yushi search x --store ./only-folders/"),
])
def test_zsh_completes_what_is_typed_there(tmp_path, line, completed):
    zsh = shutil.which("zsh")
    if not zsh:
        pytest.skip("no `zsh` here (scripts/install-deps test installs it): its completion is not tried")
    (tmp_path / "only-folders").mkdir()
    (tmp_path / "only-folders.txt").touch()
    (tmp_path / "_yushi").write_bytes(yushi("--completion", "zsh").out)
    typed = tmp_path / "typed"
    (tmp_path / ".zshrc").write_text(
        f"PS1='ready> '; fpath=({tmp_path} $fpath); autoload -Uz compinit; compinit -D -u\n"
        f"tell() {{ print -rn -- \"$BUFFER\" > {typed}.part; mv {typed}.part {typed} }}; zle -N tell; bindkey '^G' tell\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(zsh, ["zsh", "-i"], {"ZDOTDIR": str(tmp_path), "HOME": str(tmp_path), "PATH": os.environ["PATH"], "TERM": "vt100"})
    try:
        seen = b""
        while b"ready> " not in seen:
            seen += os.read(terminal, 65536)
        os.write(terminal, line.encode() + b"\t\x07")
        wait(typed.exists, "for the completed line", 60)
        assert typed.read_text() == completed, seen
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
