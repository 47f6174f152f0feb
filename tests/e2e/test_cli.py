"""The CLI against a real daemon and against its store: what it prints, and its exit codes."""

import base64
import contextlib
import csv
import json
import signal
import subprocess
import time

import pytest

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


def test_raw_gives_the_exact_bytes_in_order_of_time(daemon):
    answer = daemon.yushi("search", "*")
    assert (answer.code, answer.out) == (0, b"".join(line + b"\n" for line in LINES))


def test_reverse_gives_the_newest_first(daemon):
    assert daemon.yushi("search", "*", "--reverse").out == b"".join(line + b"\n" for line in reversed(LINES))


def test_limit_gives_the_newest_shown_oldest_first(daemon):
    assert daemon.yushi("search", "*", "-n", "2").out == b"".join(line + b"\n" for line in LINES[-2:])
    assert daemon.yushi("search", "*", "-n", "2", "--reverse").out == LINES[-1] + b"\n" + LINES[-2] + b"\n"


def test_limit_and_reverse_hold_for_the_rows_of_a_pipe_too(daemon):
    ids = lambda query, *options: [row["event.id"] for row in daemon.yushi("search", query, "-o", "json", *options).objects]
    fields = "* | fields event.id"
    assert ids(fields, "-n", "2") == ["default/4", "default/5"]
    assert ids(fields, "-n", "2", "--reverse") == ["default/5", "default/4"]
    assert ids(fields, "--reverse") == [f"default/{i}" for i in reversed(range(6))]
    assert ids("* | sort event.id | fields event.id", "-n", "2") == ["default/0", "default/1"]
    ordered = daemon.yushi("search", "* | top 3 host.name", "--reverse")
    assert ordered.code == 2 and "sort" in ordered.err
    assert [row["count()"] for row in daemon.yushi("hist", "*", "--every", "1d", "-n", "1", "-o", "json").objects] == [1]


def test_json_is_one_ecs_object_a_line(daemon):
    (record,) = daemon.search("user.name: root")
    assert record["event"]["id"] == "default/0"
    assert record["event"]["outcome"] == "failure"
    assert record["source"]["ip"] == "10.0.0.1"
    assert record["@timestamp"] == "2026-11-01T08:00:00.125Z"
    assert record["organization"]["name"] == "default"


def test_a_table_obeys_no_escape_sequence_and_shows_local_time(daemon):
    answer = daemon.yushi("search", "escape", "-o", "table", env={"TZ": "Asia/Shanghai"})
    assert b"\x1b" not in answer.out and b"\x00" not in answer.out
    assert answer.text.startswith("2026-11-01 18:00:00.000  db1 ")
    assert "\\x1b[31mred \\x00 nul" in answer.text
    assert daemon.yushi("search", "escape", "-o", "table", "--utc", env={"TZ": "Asia/Shanghai"}).text.startswith(
        "2026-11-01 10:00:00.000")


def test_csv_has_a_head_and_a_line_a_record(daemon):
    lines = daemon.yushi("search", "sshd", "-o", "csv").lines
    assert lines[0].startswith("@timestamp,event.id,host.name,")
    assert len(lines) == 3


def test_since_and_until_go_by_the_callers_zone(daemon):
    assert daemon.yushi("search", "*", "--since", "2026-11-02").out == LINES[-1] + b"\n"
    assert len(daemon.yushi("search", "*", "--until", "2026-11-01").out.splitlines()) == 5
    # In Shanghai the last record is on the second of November at 08:00, the fourth on the first at 18:00.
    shanghai = {"TZ": "Asia/Shanghai"}
    assert daemon.yushi("search", "*", "--since", "2026-11-02T08:00", env=shanghai).out == LINES[-1] + b"\n"
    assert daemon.yushi("search", "*", "--since", "2026-11-02T08:01", env=shanghai).code == 1


def test_pipes_give_rows(daemon):
    rows = daemon.yushi("search", "* | stats count() by host.name | sort count() desc, host.name", "-o", "json").objects
    assert [(row["host.name"], row["count()"]) for row in rows] == [("db1", 2), ("web1", 2), ("db2", 1), ("web2", 1)]
    table = daemon.yushi("search", "* | stats count() by host.name | head 1", "-o", "table").lines
    assert table[0].split() == ["host.name", "count()"]


def test_max_and_min_of_numbers_and_text_are_those_of_the_numbers(tmp_path):
    with Daemon(tmp_path / "numbers") as running:
        values = ["7", '"zebra"', "40", '"abc"', "true"]
        running.send_tcp([b'<13>1 - web app - - - {"mixed": %s}' % value.encode() for value in values])
        running.wait_records(len(values))
        (row,) = running.yushi("search", "* | stats max(json.mixed) as most, min(json.mixed) as least", "-o", "json").objects
        assert row == {"most": 40, "least": 7}


def test_bytes_that_are_no_utf8_are_asked_by_their_base64(daemon):
    assert daemon.yushi("search", "yushi.raw_base64: *").out == LINES[4] + b"\n"
    base64_of = base64.b64encode(LINES[4]).decode()
    assert daemon.yushi("search", f'yushi.raw_base64: "{base64_of}"').out == LINES[4] + b"\n"
    assert daemon.yushi("search", "db1 and yushi.raw_base64: *").code == 1


def test_hist_counts_over_time(daemon):
    rows = daemon.yushi("hist", "*", "--every", "1d", "-o", "json").objects
    assert [row["count()"] for row in rows] == [5, 1]
    # Bars in the caller's zone, spans in which nothing was included: in Shanghai 16:00, 17:00, 18:00, …, 08:00.
    bars = daemon.yushi("hist", "*", "--every", "1h", "-o", "table", env={"TZ": "Asia/Shanghai"}).lines
    assert len(bars) == 17 and bars[0].startswith("2026-11-01 16:00") and bars[-1].startswith("2026-11-02 08:00")
    assert bars[0].rstrip("█▉▊▋▌▍▎▏ ").endswith(" 2") and bars[3].rstrip().endswith(" 0")


def test_nothing_found_is_1_and_a_wrong_query_2_with_a_caret(daemon):
    assert daemon.yushi("search", "no_such_word").code == 1
    wrong = daemon.yushi("search", "user.name: (root")
    assert wrong.code == 2
    assert any(line.strip() == "^" for line in wrong.err.splitlines())
    assert daemon.yushi("search", "*", "--since", "yesteryear").code == 2
    assert daemon.yushi("search").code == 2
    assert daemon.yushi("search", "*", "-o", "xml").code == 2
    assert daemon.yushi("no-such-command").code == 2


@pytest.mark.parametrize("number", ["-5", "99999999999999999999", "many", ""])
def test_a_limit_that_is_no_number_is_named(daemon, number):
    for ask in (["search", "*"], ["hist", "*"], ["alerts"], ["alerts", "list"]):
        answer = daemon.yushi(*ask, "-n", number)
        assert (answer.code, answer.out) == (2, b"") and "--limit" in answer.err, (ask, answer.err)


def test_a_span_that_holds_nothing_is_an_error_of_use(daemon):
    for ask in (["search", "*"], ["hist", "*"], ["alerts", "list"]):
        answer = daemon.yushi(*ask, "--since", "2026-11-02", "--until", "2026-11-01")
        assert answer.code == 2 and "2026-11-02" in answer.err and "2026-11-01" in answer.err, ask
        assert daemon.yushi(*ask, "--since", "2026-11-01", "--until", "2026-11-01").code in (0, 1)
    answer = daemon.yushi("search", "-f", "*", "--until", "2020-01-01")
    assert answer.code == 2 and "2020-01-01 is past" in answer.err
    answer = daemon.yushi("search", "*", "--since", "08:00")  # a time of day needs its day
    assert answer.code == 2 and "08:00" in answer.err


def test_a_tenant_without_a_name_is_an_error_of_use(daemon):
    for ask in (["search", "*"], ["hist", "*"], ["alerts"], ["sources"], ["status"], ["checkpoint"]):
        answer = daemon.yushi(*ask, "--tenant", "")
        assert (answer.code, answer.out) == (2, b"") and "--tenant" in answer.err, ask
    for path in ("search?query=*&tenant=", "alerts?tenant=", "status?tenant="):
        assert daemon.http("/api/v1/" + path).code == 400, path


def test_the_rate_of_few_records_is_taken_over_a_minute(tmp_path):
    with Daemon(tmp_path / "rate") as running:
        running.send_udp(LINES[:3])
        running.wait_records(3)
        (source,) = running.yushi("sources", "-o", "json").objects
        assert source["records_per_second"] == 0.05
        head, row = running.yushi("sources", "-o", "csv").lines
        assert row.split(",")[head.split(",").index("per s")] == "0.0500"


def test_a_zone_of_the_caller_that_is_none_is_said(daemon):
    shown = lambda zone: daemon.yushi("search", "escape", "-o", "table", env={"TZ": zone})
    for zone in ("Asia/Shanghai", ":Asia/Shanghai", "CST-8", "<+08>-08:00", "CST-8:00"):
        assert shown(zone).text.startswith("2026-11-01 18:00:00.000") and shown(zone).err == "", zone
    assert shown("EST5").text.startswith("2026-11-01 05:00:00.000")
    for zone in ("Nonsense/Zone", "CST-8:30", "CST-99", "XST-1XDT,M3.2.0", "-8"):
        answer = shown(zone)
        assert answer.code == 0 and answer.text.startswith("2026-11-01 10:00:00.000"), zone
        assert answer.err.count("TZ=" + zone) == 1 and "UTC" in answer.err


def test_a_word_that_is_no_command_is_named():
    for words, unknown, known in ((["foo"], "`foo`", "search, hist"), (["searh", "x"], "`searh`", "search, hist"),
                                  (["rules", "foo"], "`foo`", "list, check, test"), (["alerts", "ack", "224"], "`ack`", "list, show"),
                                  (["search", "failed", "password"], "`password`", "quotes"),
                                  (["search", "x", "--frobnicate"], "--frobnicate", "--help")):
        answer = yushi(*words)
        assert answer.code == 2 and unknown in answer.err and known in answer.err, (words, answer.err)
    assert "required" in yushi("rules").err and yushi("rules").code == 2


def test_a_folder_that_is_no_store_is_named_and_the_right_one_hinted(daemon, tmp_path):
    for folder in (tmp_path / "none", tmp_path, daemon.data / "keys"):
        answer = yushi("search", "x", "--store", folder, state=tmp_path)
        assert answer.code == 2 and f"{folder}: this is no data folder of yushid" in answer.err and "data_dir" in answer.err
    for inside in (f"{daemon.data}/store", f"{daemon.data}/store/", f"{daemon.data}/keys/../store"):
        answer = yushi("search", "x", "--store", inside, state=tmp_path)
        assert answer.code == 2 and f"give --store {daemon.data}\n" in answer.err, answer.err


def test_no_daemon_is_2(tmp_path):
    answer = yushi("status", "--server", f"unix:{tmp_path}/none.sock", state=tmp_path)
    assert answer.code == 2 and "none.sock" in answer.err
    assert yushi("status", "--store", tmp_path / "none", state=tmp_path).code == 2


def test_an_unknown_tenant_is_nothing_found_and_the_audit_log_only_when_named(daemon):
    assert daemon.yushi("search", "*", "--tenant", "nobody").code == 1
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


def test_explain_says_what_was_read(daemon):
    assert "blocks read" in daemon.yushi("search", "*", "--explain").err


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
            assert "the answer is incomplete" in err and "the daemon stopped or is gone" in err


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


def test_sources_tell_losses_by_the_senders_own_numbers_and_all_transports(tmp_path):
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
        assert table[0].split() == ["time", "id", "severity", "tenant", "rule", "reason"] and len(table) == 2
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


def test_what_is_asked_wrong_is_named_by_the_daemon(daemon):
    for path, words in (("search?query=*&colour=red", "colour"), ("search?query=*&context_before=3", "not in this version"),
                        ("search?query=*&limit=many", "limit"), ("hist?query=*&zone=Nowhere/At_All", "zone"),
                        ("consistency?log=default&from=9999&to=99999", "9999"), ("proof?id=default", "LOG/INDEX")):
        got = daemon.http("/api/v1/" + path)
        assert got.code == 400, got
        assert words in json.loads(got.body)["error"]["message"]
    assert daemon.http("/api/v1/consistency?log=nobody&from=1&to=2").code == 404
    assert daemon.http("/api/v1/nothing").code == 404


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


def test_parse_prints_one_object_a_line_blank_ones_too():
    lines = [LINES[0], b"", b"no syslog at all", LINES[4]]
    answer = yushi("parse", stdin=b"\n".join(lines) + b"\n")
    assert answer.code == 0, answer.err
    objects = answer.objects
    assert len(objects) == 4
    assert objects[0]["user"]["name"] == "root" and "id" not in objects[0]["event"] and "created" not in objects[0]["event"]
    assert objects[1]["event"]["original"] == ""
    assert objects[2]["message"] == "no syslog at all"
    assert "raw_base64" in objects[3]["yushi"]
    assert "登录失败" in yushi("parse", "--charset", "gb18030", stdin=LINES[4]).objects[0]["event"]["original"]
    assert "登录失败" in yushi("parse", "--charset", "gb18030", "--explain", stdin=LINES[4]).text
    wrong = yushi("parse", "--charset", "ebcdic", stdin=LINES[4])
    assert wrong.code == 2 and "ebcdic" in wrong.err and "gb18030" in wrong.err


def test_parse_names_the_datasets_there_are():
    answer = yushi("parse", "--dataset", "nosuch", stdin=LINES[0])
    assert (answer.code, answer.out) == (2, b"") and "nosuch" in answer.err and "nginx.access" in answer.err
    assert yushi("parse", "--dataset", "nginx.access", stdin=LINES[0]).code == 0


def test_parse_infers_the_year_from_the_time_of_receipt():
    line = b"<13>Dec 31 23:59:59 h app: x\n"
    (record,) = yushi("parse", "--received", "2027-01-01T00:00:10Z", "--timezone", "Asia/Shanghai", stdin=line).objects
    assert record["@timestamp"] == "2026-12-31T15:59:59.000Z"
    assert record["event"]["created"].startswith("2027-01-01T00:00:10")


def test_parse_stats_and_explain():
    assert "1 of 2 lines understood" in yushi("parse", "--stats", stdin=LINES[0] + b"\nnobody knows this\n").text
    explained = yushi("parse", "--explain", stdin=LINES[0] + b"\n").text
    assert "parser   sshd" in explained and "user.name=root" in explained


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
