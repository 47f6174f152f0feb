"""From an administrator's odd behaviour to an alert with its reason, over restarts and kills: there, and there once."""

import datetime
import json

import pytest

from senders import raw_of, wait, wait_size
from yushi_daemon import Daemon, yushi

BEGIN = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=3)


class Day:
    """Lines of a day, each some seconds after the one before."""

    def __init__(self, daemon):
        self.daemon, self.time, self.sent = daemon, BEGIN, 0

    def say(self, *bodies, seconds=10):
        lines = []
        for body in bodies:
            self.time += datetime.timedelta(seconds=seconds)
            lines.append(f"<86>1 {self.time.strftime('%Y-%m-%dT%H:%M:%SZ')} {body}")
        self.daemon.send_tcp(lines)
        self.sent += len(lines)
        wait_size(self.daemon, self.sent)

    def login(self, user, address, host="web-01"):
        self.say(f"{host} sshd 811 - - Accepted password for {user} from {address} port 5022 ssh2")

    def fail(self, user, address, times, host="web-01"):
        self.say(*[f"{host} sshd 812 - - Failed password for {user} from {address} port 4242 ssh2"] * times)


def alerts_of(daemon):
    answer = daemon.yushi("alerts", "list", "-o", "json")
    assert answer.code in (0, 1), answer.err
    return answer.objects


def identity(alert):
    return alert["rule"]["id"], alert["yushi"]["alert"]["id"], alert["yushi"]["alert"]["reason"]


def of_rule(alerts, *words):
    """The one alert whose rule or reason holds these words."""
    found = [a for a in alerts if all(w.lower() in json.dumps([a["rule"], a["yushi"]["alert"]["reason"]]).lower() for w in words)]
    assert len(found) == 1, f"{len(found)} alerts about {words}; there are {list(map(identity, alerts))}"
    return found[0]


def check_shown(daemon, alert, *texts):
    """What `alerts show` gives: the alert, and the records behind it, which exist."""
    answer = daemon.yushi("alerts", "show", alert["yushi"]["alert"]["id"], "-o", "json")
    assert answer.code == 0, answer.err
    shown, *records = answer.objects
    assert identity(shown) == identity(alert)
    assert [record["event"]["id"] for record in records] == alert["yushi"]["alert"]["records"]
    assert records, "an alert carries the records that show it"
    for record in records:
        (same,) = daemon.search(f"event.id: \"{record['event']['id']}\"")
        assert raw_of(same) == raw_of(record)
    said = b"\n".join(raw_of(record) for record in records).decode()
    for text in texts:
        assert text in said


def check_audited(objects, alerts):
    """Each alert is one record in `_audit`, word for word, and no other record there is an alert of a detector."""
    audited = [json.loads(record["event"]["original"]) for record in objects]
    ids = [record["yushi"]["alert"]["id"] for record in audited if "alert" in record.get("yushi", {})]
    assert sorted(ids) == sorted(alert["yushi"]["alert"]["id"] for alert in alerts)
    assert len(set(ids)) == len(ids), "an alert was raised twice"


def test_odd_behaviour_is_told_with_its_reason_and_survives(tmp_path):
    with Daemon(tmp_path, "detect: {learning: 0s}\n") as daemon:
        day = Day(daemon)
        # What is usual raises nothing.
        for _ in range(5):
            day.login("alice", "10.0.0.5")
            day.login("deploy", "10.0.0.6")
        day.fail("alice", "10.0.0.5", 2)
        assert alerts_of(daemon) == []

        day.fail("root", "203.0.113.9", 7)
        day.login("root", "203.0.113.9")
        day.login("alice", "198.51.100.7")
        day.say("web-01 systemd 1 - - Stopped System Logging Service.")
        day.say("web-01 useradd 911 - - new user: name=wang, UID=1009, GID=1009, home=/home/wang, shell=/bin/bash",
                "web-01 usermod 912 - - add 'wang' to group 'sudo'", "web-01 usermod 912 - - add 'wang' to shadow group 'sudo'")
        raised = alerts_of(daemon)

        forced = of_rule(raised, "bruteforce", "203.0.113.9")
        assert "root" in forced["yushi"]["alert"]["reason"] and "7" in forced["yushi"]["alert"]["reason"]
        check_shown(daemon, forced, "Failed password for root from 203.0.113.9", "Accepted password for root from 203.0.113.9")
        first = of_rule(raised, "first", "198.51.100.7")
        reason = first["yushi"]["alert"]["reason"]
        assert "alice" in reason and "10.0.0.5" in reason and "5" in reason, "what is odd, against what is usual"
        assert first["yushi"]["alert"].get("learning") in (None, False)
        check_shown(daemon, first, "Accepted password for alice from 198.51.100.7")
        stopped = of_rule(raised, "log service was stopped", "web-01")
        assert "System Logging Service" in stopped["yushi"]["alert"]["reason"]
        check_shown(daemon, stopped, "Stopped System Logging Service.")
        added = of_rule(raised, "wang was put into group sudo")
        check_shown(daemon, added, "add 'wang' to group 'sudo'")
        at_once = of_rule(raised, "was created on web-01 and", "later put into group")
        check_shown(daemon, at_once, "new user: name=wang", "add 'wang' to group 'sudo'")
        for alert in raised:
            assert alert["event"]["kind"] == "alert" and alert["organization"]["name"] == "default"
            assert len(alert["yushi"]["alert"]["id"]) == 16

        # The last commit before the kill is younger than the detectors' saved state, so a start replays it.
        day.login("deploy", "192.0.2.44")
        raised = alerts_of(daemon)
        of_rule(raised, "first", "192.0.2.44")
        daemon.kill()
        daemon.start()
        assert list(map(identity, alerts_of(daemon))) == list(map(identity, raised)), "an alert went, or came twice"

        # What the detectors knew they know again: this address is known, and that alert is folded.
        day.login("deploy", "192.0.2.44")
        day.say("web-01 systemd 1 - - Stopped System Logging Service.")
        assert list(map(identity, alerts_of(daemon))) == list(map(identity, raised))
        assert daemon.stop() == 0
        daemon.start()
        day.login("deploy", "192.0.2.44")
        assert list(map(identity, alerts_of(daemon))) == list(map(identity, raised))
        # And they go on.
        day.login("deploy", "192.0.2.200", "web-09")
        wait(lambda: len(alerts_of(daemon)) >= len(raised) + 2, "for a new address and a new host")
        raised = alerts_of(daemon)
        of_rule(raised, "first login on a host", "deploy", "web-09")

        check_audited(daemon.search("*", "--tenant", "_audit"), raised)
        assert daemon.yushi("verify").code in (0, 1)
        assert daemon.stop() == 0
    listed = yushi("alerts", "list", "-o", "json", "--store", daemon.data, state=daemon.state)
    assert list(map(identity, listed.objects)) == list(map(identity, raised))
    assert yushi("verify", "--store", daemon.data, state=daemon.state).code == 0


def test_a_brute_force_in_progress_is_not_forgotten_over_a_kill(tmp_path):
    with Daemon(tmp_path, "detect: {learning: 0s}\n") as daemon:
        day = Day(daemon)
        for _ in range(7):
            day.fail("root", "203.0.113.9", 1)
            daemon.kill()
            daemon.start()
        assert alerts_of(daemon) == []
        day.login("root", "203.0.113.9")
        forced = of_rule(alerts_of(daemon), "bruteforce", "203.0.113.9")
        check_shown(daemon, forced, "Failed password", "Accepted password")
        assert [f"default/{i}" for i in range(8)] == forced["yushi"]["alert"]["records"]


def test_a_flood_of_one_alert_is_counted_to_the_hit_over_a_kill(tmp_path):
    """A sender's own words make 8,000 alerts of one rule: few are raised, and what is not is told once, whatever dies."""
    count, rule = 8000, "root logged in by ssh with a password"
    logins = [f"<86>1 - h{i} sshd 811 - - Accepted password for root from 10.0.{i >> 8}.{i & 255} port 4242 ssh2" for i in range(count)]
    with Daemon(tmp_path) as daemon:
        for part in range(4):
            daemon.send_tcp(logins[part * 2000:][:2000])
            wait_size(daemon, (part + 1) * 2000)
            if part % 2:
                daemon.kill()
                daemon.start()
        hits = lambda: [a["yushi"]["alert"] for a in alerts_of(daemon) if a["rule"]["name"] == rule]
        told = lambda: sum(a.get("folded", 0) + (not a.get("summary", False)) for a in hits())
        wait(lambda: told() == count, "for the counts to be told")
        assert len(hits()) < 5100
        assert len(hits()) == daemon.yushi("search", f'rule.name: "{rule}" | stats count()', "--tenant", "_audit", "-o", "json").objects[0]["count()"]
        # Another sender's is there at once, in all of it.
        daemon.send_tcp(["<86>1 - db-01 sshd 811 - - Accepted password for root from 10.9.9.9 port 4242 ssh2"], source="127.0.0.2")
        wait(lambda: any("db-01" in a["reason"] for a in hits()), "for the alert of another sender")
        # The newest of many, and one of them by its id.
        newest = daemon.yushi("alerts", "list", "-n", "3", "-o", "json").objects
        assert newest == alerts_of(daemon)[-3:]
        assert newest[::-1] == daemon.yushi("alerts", "list", "-n", "3", "--reverse", "-o", "json").objects
        assert daemon.yushi("alerts", "show", newest[0]["yushi"]["alert"]["id"]).code == 0
        assert daemon.yushi("verify").code in (0, 1)


def test_alerts_are_found_by_the_time_they_were_raised(tmp_path):
    """The sender's clock does not decide what is new: events of last year raise an alert today."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "lamp.yml").write_text("title: A lamp\nid: lamp\nlogsource: {product: yushi}\n"
                                    "detection: {s: {message|contains: lamp-lit}, condition: s}\n")
    with Daemon(tmp_path, f"detect: {{rules: [{rules}]}}\n") as daemon:
        lines = ["<30>1 2025-03-01T10:00:00Z web-01 lampd 1 - - lamp-lit", "<30>1 - web-02 lampd 1 - - lamp-lit",
                 "<30>1 2025-02-01T10:00:00Z web-03 lampd 1 - - lamp-lit"]
        for i, line in enumerate(lines):
            daemon.send_tcp([line])
            wait_size(daemon, i + 1)
        hosts = lambda *args: [a["host"]["name"] for a in daemon.yushi("alerts", "list", "-o", "json", *args).objects]
        assert hosts() == hosts("--since", "10m") == hosts("--since", "today", "-n", "3") == ["web-01", "web-02", "web-03"]
        assert hosts("--tenant", "default", "-n", "1") == ["web-03"] and hosts("--tenant", "nobody") == []
        assert hosts("--until", "2025-12-31") == [] and hosts("--until", "10m") == []
        first, second, _ = daemon.yushi("alerts", "list", "-o", "json").objects
        assert first["@timestamp"].startswith("2025-03-01T10:00:00") and first["event"]["created"] > second["@timestamp"][:10]
        table = daemon.yushi("alerts", "list", "-o", "table", "--utc").lines
        assert "2025-03-01 10:00:00 (" in table[1] and " d before)" in table[1] and "before" not in table[2]


def test_during_learning_a_finding_is_marked_and_a_rule_is_not(tmp_path):
    with Daemon(tmp_path) as daemon:  # learning is 14 days
        day = Day(daemon)
        for _ in range(6):  # from the sixth login on there is a usual to be odd against
            day.login("alice", "10.0.0.5")
        day.login("alice", "198.51.100.7")
        day.say("web-01 systemd 1 - - Stopped System Logging Service.")
        raised = alerts_of(daemon)
        assert of_rule(raised, "first", "198.51.100.7")["yushi"]["alert"]["learning"] is True
        assert of_rule(raised, "log service was stopped")["yushi"]["alert"].get("learning") in (None, False)


def test_our_own_records_are_ecs_as_they_say_themselves(tmp_path):
    """What an auditor asks of `_audit`: its records are JSON of our own making, so their names are what they say."""
    with Daemon(tmp_path) as daemon:
        Day(daemon).say("web-01 systemd 1 - - Stopped System Logging Service.")
        daemon.yushi("search", "*", "--tenant", "default")
        (alert,) = daemon.search("event.kind: alert", "--tenant", "_audit")
        (raised,) = alerts_of(daemon)
        assert alert["message"] == raised["message"]
        assert alert["yushi"]["alert"]["id"] == raised["yushi"]["alert"]["id"]
        assert len(daemon.search(f"yushi.alert.id: {raised['yushi']['alert']['id']}", "--tenant", "_audit")) == 1
        asked = wait(lambda: daemon.search("event.action: api-search and yushi.tenant: default", "--tenant", "_audit"),
                     "for the question to be a record that names the tenant it concerns")
        assert asked[0]["message"].endswith("asked search")
        ours = daemon.search("*", "--tenant", "_audit")
        assert {record["event"]["dataset"] for record in ours} == {"yushi.audit"}
        # A sender who writes the same words is still a sender.
        Day(daemon).say("web-01 yushid 1 - - " + ours[0]["event"]["original"])
        assert daemon.search("event.dataset: yushi.audit", "--tenant", "default") == []
        assert daemon.stop() == 0
    assert len(yushi("search", "event.dataset: yushi.audit", "--tenant", "_audit", "--store", daemon.data, "-o", "json",
                     state=daemon.state).objects) > len(ours)
    assert yushi("verify", "--store", daemon.data, state=daemon.state).code == 0


@pytest.mark.parametrize("id", ["0123456789abcdef", "x", ""])
def test_an_alert_that_is_not_there_is_said_to_be_so(tmp_path, id):
    with Daemon(tmp_path) as daemon:
        answer = daemon.yushi("alerts", "show", id)
        assert answer.code in (1, 2) and answer.err and not answer.out
