"""What happens to an alert after it is found: who took it, as what it was closed, what is usual from then on, what is
excepted; that it is durable and proved, comes of its records again, and can be given away with its evidence."""

import csv
import datetime
import getpass
import hashlib
import io
import json
import subprocess

from senders import wait, wait_size
from test_alerts import Day, alerts_of, of_rule
from yushi_daemon import Daemon, yushi

STOPPED = "systemd 1 - - Stopped System Logging Service."
LIT = "lampd 1 - - lamp-lit in the hall"


def lamp_rules(tmp_path):
    """A folder with a rule that looks at single records, and knows no habit."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "lamp.yml").write_text("title: A lamp\nid: lamp\nlogsource: {product: yushi}\n"
                                    "detection: {s: {message|contains: lamp-lit}, condition: s}\n")
    return rules


def state_of(alert):
    return {name: alert["yushi"]["alert"].get(name) for name in ("state", "state_by", "closed_as", "held_back")}


def ids(answer):
    assert answer.code in (0, 1), answer.err
    return [alert["yushi"]["alert"]["id"] for alert in answer.objects]


def acts_of(daemon, *args):
    return [json.loads(record["event"]["original"]) for record in daemon.search("event.action: alert-*", "--tenant", "_audit", *args)]


def test_a_state_is_durable_when_it_is_answered_and_proved(tmp_path):
    me = getpass.getuser()
    with Daemon(tmp_path) as daemon:
        day = Day(daemon)
        day.say(*[f"web-0{i} {STOPPED}" for i in range(3)])
        first, second, third = (alert["yushi"]["alert"]["id"] for alert in alerts_of(daemon))
        assert [state_of(alert)["state"] for alert in alerts_of(daemon)] == ["new"] * 3

        assert daemon.yushi("alerts", "take", first[:6]).code == 0
        daemon.kill()
        daemon.start()
        assert state_of(alerts_of(daemon)[0]) == {"state": "taken", "state_by": me, "closed_as": None, "held_back": None}
        said = daemon.yushi("alerts", "close", second, "--as", "false-alarm", "--note", "we updated it, <b>no</b> harm")
        assert said.code == 0 and said.text.startswith(f"{me} closed alert {second}"), said.err
        daemon.kill()
        daemon.start()
        assert ids(daemon.yushi("alerts", "list", "--state", "closed", "-o", "json")) == [second]
        assert ids(daemon.yushi("alerts", "list", "--state", "open", "-o", "json")) == [first, third]
        assert ids(daemon.yushi("alerts", "list", "--state", "new", "-n", "1", "-o", "json")) == [third]
        assert f"closed as false-alarm by {me}" in daemon.yushi("alerts", "list", "-o", "table").text

        shown = daemon.yushi("alerts", "show", second, "-o", "table").text
        assert "we updated it" in shown and "history" in shown and "Stopped System Logging Service" in shown
        shown = daemon.yushi("alerts", "show", second, "-o", "table", "--lang", "zh").text
        assert f"状态        已关闭：误报，处理人 {me}" in shown, shown
        assert "处理经过    " in shown and f"{me} 关闭（误报）：we updated it" in shown, shown
        (act,) = acts_of(daemon, "-n", "1")
        assert act["user"]["name"] == me and act["yushi"]["tenant"] == "default" and act["yushi"]["alert"]["id"] == second

        # Several at once: an answer each, and one that fails hinders none.
        said = daemon.yushi("alerts", "close", first[:6], "zz", third, "--as", "accepted", "--note", "夜间“备份”")
        assert said.code == 1 and "no alert zz" in said.err
        assert [line.split(" (")[0] for line in said.text.splitlines()] == [f"{me} closed alert {id}" for id in (first, third)]
        said = daemon.yushi("alerts", "take", first, third[:8], "--lang", "zh")
        assert said.code == 0 and said.text.splitlines() == [f"告警 {id}：{me} 开始处理" for id in (first, third)]
        assert ids(daemon.yushi("alerts", "list", "--state", "taken", "-o", "json")) == [first, third]
        said = daemon.yushi("alerts", "ack", first, "--note", "夜间", "--usual", "1s", "--lang", "zh")
        assert said.text.startswith(f"告警 {first}：{me} 确认：夜间；同类情况在 "), said.text
        # What was written in Chinese is read so, in every form.
        for shown in (daemon.yushi("alerts", "show", third, "-o", "table").text, daemon.yushi("alerts", "export", "-o", "csv").text,
                      daemon.yushi("search", "event.action: alert-closed", "--tenant", "_audit", "-o", "table").text):
            assert "夜间“备份”" in shown and "\\u" not in shown, shown
        said = daemon.yushi("alerts", "verify", first, "--lang", "zh")
        assert said.text.startswith(f"告警 {first}：结果一致，逐位相同；以现有规则和检测器重新判定日志 default "), said.text

        # What is no act, or no alert, or given by a GET, changes nothing.
        assert daemon.yushi("alerts", "close", second, "--as", "perhaps", "--note", "x").code == 2
        assert daemon.yushi("alerts", "close", second, "--as", "true").code == 2
        assert daemon.yushi("alerts", "take", "ffffffffffffffff").code in (1, 2)
        assert daemon.http(f"/api/v1/alerts/{third}/take").code == 405
        assert daemon.http(f"/api/v1/alerts/{third}/take", "POST").code in (200, 415)
        assert len(acts_of(daemon)) <= 8
        assert daemon.yushi("verify").code in (0, 1)
        assert daemon.stop() == 0
    listed = yushi("alerts", "list", "--state", "closed", "-o", "json", "--store", daemon.data, state=daemon.state)
    assert ids(listed) == [first, second]
    refused = yushi("alerts", "take", third, "--store", daemon.data, state=daemon.state)
    assert refused.code == 2 and "running daemon" in refused.err
    assert yushi("verify", "--store", daemon.data, state=daemon.state).code == 0


def test_what_was_acknowledged_as_usual_is_held_back_over_a_kill(tmp_path):
    with Daemon(tmp_path, f"detect: {{learning: 0s, rules: [{lamp_rules(tmp_path)}]}}\n") as daemon:
        day = Day(daemon)
        day.say(f"web-01 {LIT}")
        alert = alerts_of(daemon)[0]["yushi"]["alert"]["id"]
        assert daemon.yushi("alerts", "ack", alert, "--note", "the rotation", "--usual", "30d").code == 0
        daemon.kill()
        daemon.start()
        day.say(f"web-01 {LIT}", seconds=5000)  # past the rule's fold
        daemon.kill()
        daemon.start()
        day.say(f"web-01 {LIT}", seconds=5000)
        day.say(f"web-02 {LIT}", seconds=60)
        assert [a["host"]["name"] for a in alerts_of(daemon)] == ["web-01", "web-02"], "another host's is news"
        wait(lambda: state_of(alerts_of(daemon)[0])["held_back"], "for what was held back to be told")
        assert state_of(alerts_of(daemon)[0])["state"] == "closed"
        assert state_of(alerts_of(daemon)[0])["closed_as"] == "accepted"

        other = alerts_of(daemon)[1]["yushi"]["alert"]["id"]
        assert daemon.yushi("alerts", "ack", other, "--note", "for a moment", "--usual", "1s").code == 0
        wait(lambda: any("is news again" in act["message"] for act in acts_of(daemon)), "for it to end by itself")
        day.say(f"web-02 {LIT}", seconds=5000)
        wait(lambda: len(alerts_of(daemon)) == 3, "for the next one to be raised")
        raised = [(a["yushi"]["alert"]["id"], a["host"]["name"]) for a in alerts_of(daemon)]
        daemon.kill()
        daemon.start()
        assert [(a["yushi"]["alert"]["id"], a["host"]["name"]) for a in alerts_of(daemon)] == raised
        assert daemon.stop() == 0
    assert yushi("verify", "--store", daemon.data, state=daemon.state).code == 0


def exceptions_of(daemon):
    answer = daemon.yushi("rules", "list", "-o", "json")
    assert answer.code == 0, answer.err
    return {said["owner"]: said for said in answer.objects if "exception" in said}


def test_an_exception_holds_for_whom_it_says_until_its_end(tmp_path):
    file = tmp_path / "exceptions.yaml"
    with Daemon(tmp_path, f"detect: {{exceptions: [{file}]}}\n") as daemon:
        assert "exceptions.yaml" in json.dumps(daemon.status()["reasons"]), "a file that is not there is told"
        day = Day(daemon)
        day.say(f"web-01 {STOPPED}")
        rule = alerts_of(daemon)[0]["rule"]["id"]
        soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
        file.write_text(f"- {{rule: {rule}, when: 'host.name: db-*', owner: li.wei, until: 2199-12-31, reason: the move}}\n"
                        f"- {{rule: {rule}, when: 'host.name: app-*', owner: wang, until: '{soon}'}}\n"
                        f"- {{rule: {rule}, owner: zhao, until: 2026-01-01}}\n")
        # Taken without a signal; the one that ended holds for nothing, and is told.
        wait(lambda: len(exceptions_of(daemon)) == 3, "for the exceptions to be read")
        assert "the exception of zhao" in json.dumps(daemon.status()["reasons"])
        wait(lambda: daemon.search("event.action: reload and event.reason: *zhao*", "--tenant", "_audit"), "for the record of it")
        day.say(f"db-01 {STOPPED}", f"app-01 {STOPPED}", f"db-02 {STOPPED}", f"web-02 {STOPPED}")
        assert [a["host"]["name"] for a in alerts_of(daemon)] == ["web-01", "web-02"]
        assert exceptions_of(daemon)["li.wei"]["uses"] == 2 and exceptions_of(daemon)["wang"]["uses"] == 1
        assert "the move; used 2 times" in daemon.yushi("rules", "list", "-o", "table").text
        used = wait(lambda: daemon.search("event.action: exception-used", "--tenant", "_audit"), "for the use to be a record")
        assert sum(json.loads(record["event"]["original"])["yushi"]["exception"]["uses"] for record in used) == 3
        wait(lambda: daemon.search("event.action: exception-ended", "--tenant", "_audit"), "for the end to be a record")
        assert "the exception of wang" in json.dumps(daemon.status()["reasons"])
        day.say(f"app-02 {STOPPED}")
        assert alerts_of(daemon)[-1]["host"]["name"] == "app-02"

        file.write_text(f"- {{rule: {rule}, owner: li.wei}}\n")
        wait(lambda: "exceptions.yaml:1:3: until: is missing" in json.dumps(daemon.status()["reasons"]), "for the problem to be told")
        day.say(f"db-03 {STOPPED}")
        assert alerts_of(daemon)[-1]["host"]["name"] == "app-02", "its version of before stays"
        assert daemon.stop() == 0
    assert yushi("verify", "--store", daemon.data, state=daemon.state).code == 0


def test_an_alert_comes_of_its_records_again(tmp_path):
    rules = lamp_rules(tmp_path)
    with Daemon(tmp_path, f"detect: {{learning: 0s, rules: [{rules}]}}\n") as daemon:
        day = Day(daemon)
        for _ in range(5):
            day.login("alice", "10.0.0.5")
        day.fail("root", "203.0.113.9", 7)
        day.login("root", "203.0.113.9")
        day.login("alice", "198.51.100.7")
        day.say(f"web-01 {STOPPED}", f"web-01 {LIT}")
        daemon.send_tcp(["<13>1 2026-11-01T08:00:00Z h app - - - " + hashlib.sha256(bytes([i % 250, i // 250])).hexdigest() for i in range(1000)])
        day.sent += 1000
        wait_size(daemon, day.sent)
        raised = alerts_of(daemon)
        for alert in raised:
            answer = daemon.yushi("alerts", "verify", alert["yushi"]["alert"]["id"])
            assert answer.code == 0 and "the same, bit for bit" in answer.text, answer.text + answer.err + alert["yushi"]["alert"]["reason"]
        forced, lamp = of_rule(raised, "bruteforce"), of_rule(raised, "A lamp")
        assert "from its first record" in daemon.yushi("alerts", "verify", forced["yushi"]["alert"]["id"]).text
        assert daemon.stop() == 0
    offline = lambda alert, env=None: yushi("alerts", "verify", alert["yushi"]["alert"]["id"], "--store", daemon.data, state=daemon.state, env=env)
    stopped = of_rule(raised, "log service was stopped")
    assert offline(stopped).code == 0, offline(stopped).text
    answer = offline(lamp)
    assert answer.code == 3 and "no rule lamp is here" in answer.text
    assert offline(lamp, {"YUSHI_RULES": str(rules)}).code == 0
    (rules / "lamp.yml").write_text((rules / "lamp.yml").read_text() + "level: critical\n")
    answer = offline(lamp, {"YUSHI_RULES": str(rules)})
    assert answer.code == 3 and "the rule was changed since" in answer.text
    # Somebody was at the records: the largest blob is the block of `default`.
    largest = max((daemon.data / "store").glob("*.blob"), key=lambda path: path.stat().st_size)
    damaged = bytearray(largest.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    largest.write_bytes(damaged)
    answer = offline(stopped)
    assert answer.code in (3, 4) and "bit for bit" not in answer.text, answer.text


def test_alerts_are_given_away_with_their_evidence(tmp_path):
    with Daemon(tmp_path) as daemon:
        Day(daemon).say(f"web-01 {STOPPED}", "web-01 useradd 911 - - new user: name=<script>alert(1)</script>, UID=0, GID=0, home=/root, shell=/bin/bash",
                        f"web-02 {STOPPED}")
        raised = alerts_of(daemon)
        assert daemon.yushi("alerts", "close", raised[0]["yushi"]["alert"]["id"], "--as", "true", "--note", "=1+1").code == 0
        exported = daemon.yushi("alerts", "export")
        assert exported.code == 0
        assert [one["alert"]["yushi"]["alert"]["id"] for one in exported.objects] == [a["yushi"]["alert"]["id"] for a in raised]
        first = exported.objects[0]
        assert first["alert"]["yushi"]["alert"]["closed_as"] == "true" and first["history"][0]["event"]["action"] == "alert-closed"
        assert [record["event"]["id"] for record in first["records"]] == first["alert"]["yushi"]["alert"]["records"]
        assert ids_of(daemon, "--state", "closed") == [raised[0]["yushi"]["alert"]["id"]]
        rows = list(csv.DictReader(io.StringIO(daemon.yushi("alerts", "export", "-o", "csv").text)))
        assert "Stopped System Logging Service" in rows[0]["raw"] and rows[0]["record"] == "default/0" and "=1+1" in rows[0]["history"]
        page = daemon.yushi("alerts", "export", "-o", "html").text
        assert page.startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")
        assert "<script>" not in page and "Stopped System Logging Service" in page and "closed as true" in page
        assert "Stopped System Logging Service" in daemon.yushi("alerts", "export", "-o", "text").text
        assert daemon.stop() == 0
    offline = yushi("alerts", "export", "--store", daemon.data, state=daemon.state)
    assert len(offline.objects) == len(raised)


def ids_of(daemon, *args):
    return [one["alert"]["yushi"]["alert"]["id"] for one in daemon.yushi("alerts", "export", *args).objects]


def test_an_exception_from_nothing_is_told_with_a_near_name(tmp_path):
    file = tmp_path / "exceptions.yaml"
    file.write_text('- {rule: silence.hots, owner: "li\\nwei", until: 2199-12-31}\n- {rule: silence.host, owner: zhao, until: 2199-12-31}\n')
    daemon = Daemon(tmp_path, f"detect: {{exceptions: [{file}]}}\n")
    told = f"{file}:1:3: rule: no rule that runs here and no finding is called silence.hots; did you mean silence.host?; the exception holds for nothing"
    checked = subprocess.run([daemon.program, "--config", daemon.config, "--check"], capture_output=True, text=True)
    assert checked.returncode != 0 and told in checked.stdout + checked.stderr
    with daemon:
        assert daemon.status()["left_out"] == [told]
        shown = daemon.yushi("rules", "list", "-o", "table").lines
        assert [line for line in shown if line.startswith("exception for silence.hots, of li\\nwei until 2199-12-31; used 0 times")], shown[-4:]
