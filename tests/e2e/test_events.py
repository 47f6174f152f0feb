"""Events of several lines: joined for `parse`, for a search and for detection, and the same ones over a kill."""

import json
import time

from senders import wait, wait_size
from yushi_daemon import Daemon, yushi

LEAD = "<109>1 2026-11-28T01:00:00Z web-01 audispd - - - "
DELETED = [LEAD + line for line in (
    'type=SYSCALL msg=audit(1795827600.100:91): arch=c000003e syscall=263 success=yes exit=0 items=2 ppid=811 pid=812 auid=1000 uid=0 comm="rm" exe="/usr/bin/rm" key="logs"',
    'type=CWD msg=audit(1795827600.100:91): cwd="/root"',
    'type=PATH msg=audit(1795827600.100:91): item=0 name="/var/log/audit/" inode=130 nametype=PARENT',
    'type=PATH msg=audit(1795827600.100:91): item=1 name="/var/log/audit/audit.log" inode=131 nametype=DELETE',
)]
OTHER = [LEAD + 'type=SYSCALL msg=audit(1795827600.100:92): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=813 auid=1001 uid=0 comm="id" exe="/usr/bin/id"',
         LEAD + 'type=EXECVE msg=audit(1795827600.100:92): argc=2 a0="id" a1="-u"',
         LEAD + 'type=PROCTITLE msg=audit(1795827600.100:92): proctitle=6964002D75']
MIXED = [DELETED[0], OTHER[0], DELETED[1], OTHER[1], DELETED[2], DELETED[3], OTHER[2]]


def events(daemon, query, *args):
    answer = daemon.yushi("search", query, "--events", "-o", "json", *args)
    assert answer.code in (0, 1), answer.err
    return answer.objects


def alerts(daemon):
    return [a for a in daemon.yushi("alerts", "list", "-o", "json").objects if "deleted" in a["yushi"]["alert"]["reason"]]


def test_a_file_is_read_event_by_event_and_every_line_belongs_to_one():
    trace = ["2026-11-28 01:00:00,123 ERROR [main] c.e.Pay - failed", "\tat c.e.Pay.run(Pay.java:7)", "", "2026-11-28 01:00:01,123 INFO [main] c.e.Pay - ok"]
    answer = yushi("parse", "--events", stdin="\n".join(trace + MIXED).encode() + b"\n")
    assert answer.code == 0, answer.err
    shown = [(o["yushi"]["lines"], o.get("event", {}).get("action")) for o in answer.objects]
    assert shown == [([1, 3], None), ([4, 4], None), ([5, 10], "deleted"), ([6, 11], "executed")]
    assert answer.objects[0]["message"] == "failed\n\tat c.e.Pay.run(Pay.java:7)\n"
    assert answer.objects[3]["process"]["args"] == ["id", "-u"]
    assert yushi("parse", "--events", "--explain", stdin=b"x\n").code == 2


def test_who_asks_for_alerts_hears_of_all_that_is_there_also_where_an_event_has_no_end_mark(tmp_path):
    with Daemon(tmp_path) as daemon:
        daemon.send_tcp(DELETED)
        wait_size(daemon, len(DELETED))
        assert alerts(daemon)
        (rule,) = [r for r in daemon.yushi("rules", "list", "-o", "json").objects if r["title"] == alerts(daemon)[0]["rule"]["name"]]
        assert rule["hits"] == 1, "an event of four lines is one hit"


def test_a_question_about_events_sees_all_lines_of_one(tmp_path):
    with Daemon(tmp_path) as daemon:
        daemon.send_tcp(MIXED)
        wait_size(daemon, len(MIXED))
        query = 'process.executable: "/usr/bin/rm" and file.path: "/var/log/audit/audit.log" and "/root"'
        assert daemon.search(query) == [], "no single line says all of it"
        (event,) = events(daemon, query)
        assert event["yushi"]["lines"] == [0, 2, 4, 5]
        assert event["event"]["id"] == "default/0"
        (row,) = events(daemon, "event.category: file or event.category: process | stats count() by process.name | sort process.name | head 1")
        assert (row["process.name"], row["count()"]) == ("id", 1)
        assert [e["process"]["name"] for e in events(daemon, "auditd.record_type: SYSCALL", "--reverse")] == ["id", "rm"]
        assert len(events(daemon, "*", "-n", "1")) == 1
        assert daemon.yushi("search", "*", "--events", "-f").code == 2
        live = events(daemon, "*")
    sealed = yushi("search", "*", "--events", "--store", daemon.data, "-o", "json", state=daemon.state)
    assert sealed.code == 0, sealed.err
    assert sealed.objects == live


def test_an_alert_on_an_event_names_all_its_lines_once_over_a_kill(tmp_path):
    with Daemon(tmp_path, "detect: {learning: 0s}\n") as daemon:
        daemon.send_tcp(DELETED[:2])
        wait_size(daemon, 2)
        daemon.send_tcp(DELETED[2:])
        wait_size(daemon, 4)
        daemon.kill()  # the event is open: nothing has said that it ends
        daemon.start()
        (alert,) = wait(lambda: alerts(daemon), "for the alert")
        assert alert["yushi"]["alert"]["records"] == [f"default/{i}" for i in range(4)]
        assert "/var/log/audit/audit.log" in alert["yushi"]["alert"]["reason"]
        daemon.kill()
        daemon.start()
        daemon.send_tcp(OTHER)
        wait_size(daemon, 7)
        time.sleep(4)  # two seconds of receipt and a tick
        assert [json.dumps(a, sort_keys=True) for a in alerts(daemon)] == [json.dumps(alert, sort_keys=True)]
        metrics = daemon.http("/metrics").body.decode()
        assert "\nyushi_joined_open 0\n" in metrics and "\nyushi_joined_cut_total 0\n" in metrics


def test_a_password_in_a_command_is_masked_in_the_event_too(tmp_path):
    secret = "Oak7leaf9River"
    with Daemon(tmp_path) as daemon:
        daemon.send_tcp([LEAD + line for line in (
            'type=SYSCALL msg=audit(1795827600.100:93): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=814 uid=0 comm="tool" exe="/usr/bin/tool"',
            f'type=EXECVE msg=audit(1795827600.100:93): argc=4 a0="tool" a1="--password" a2="{secret}" a3={("x --password=" + secret).encode().hex().upper()}',
            f'type=PROCTITLE msg=audit(1795827600.100:93): proctitle={("tool --password " + secret).encode().hex().upper()}')])
        wait_size(daemon, 3)
        (event,) = events(daemon, "process.name: tool")
        shown = json.dumps(event)
        assert "[masked]" in event["process"]["command_line"]
        assert secret not in shown and secret.encode().hex().upper() not in shown
        assert event["process"]["args"][:2] == ["tool", "--password"]
