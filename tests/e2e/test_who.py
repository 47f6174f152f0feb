"""`yushi who` and the filters of alerts, on a simulated site where one administrator cleared a log and another came from elsewhere."""

import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "behaviours"))
from acts import BEHAVIOURS  # noqa: E402
from world import World  # noqa: E402
from yushi_daemon import Daemon  # noqa: E402

SINCE = ("--since", "2026-01-01")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    world = World(1)
    world.ordinary_day(World.at("00:00"))
    for act in ("log-cleared", "new-network"):
        BEHAVIOURS[act][0](world)
    tenants = 'tenants:\n  - {name: gov, match: {cidr: ["127.1.1.0/24"]}, timezone: Asia/Shanghai}\n'
    with Daemon(tmp_path_factory.mktemp("who") / "d", tenants) as daemon:
        daemon.send_tcp(world.text(), "127.1.1.1")
        until = time.monotonic() + 60
        while not daemon.yushi("alerts", "list", "--severity", "high", "-o", "json").objects:
            assert time.monotonic() < until, "nothing was told"
            time.sleep(0.2)
        yield daemon


def test_an_account(site):
    said = site.yushi("who", "lin", *SINCE, "-o", "json").objects[0]
    assert said["kind"] == "account" and said["records"] > 100
    assert {row["source.ip"] for row in said["usual"]["sources"]} == {"10.0.0.10", "10.20.1.11"}
    assert {row["host.name"] for row in said["usual"]["hosts"]} == {"bastion-01", "web-01", "web-02"}
    assert "Log or history cleared" in {alert["rule"]["name"] for alert in said["alerts"]}
    assert said["risk"][0] >= 75 and said["risk"][1] == 0
    assert 500 < said["remembered_bytes"] <= 10 << 10  # docs/detection.md, bounds
    assert said["acts"] and {act["user"]["name"] for act in said["acts"]} == {"lin"}


def test_as_a_person_reads_it(site):
    said = site.yushi("who", "lin", *SINCE, "-o", "table", "--utc")
    assert said.code == 0
    assert any(line.split() [:2] == ["account", "lin,"] for line in said.lines), said.text
    for begin in ("  hours", "  sources", "  hosts", "  commands", "  acts as", "odd", "last acts"):
        assert any(line.startswith(begin) for line in said.lines), begin


def test_where_an_alert_says_that_somebody_came_from_is_not_usual(site):
    (alert,) = [a for a in site.yushi("alerts", "list", "-o", "json").objects if a["rule"]["id"] == "baseline.first-source-address"]
    account, address = alert["user"]["name"], alert["source"]["ip"]
    said = site.yushi("who", account, *SINCE, "-o", "json").objects[0]
    assert address in {row["source.ip"] for row in said["odd_sources"]}
    assert said["usual"]["sources"] and address not in {row["source.ip"] for row in said["usual"]["sources"]}


def test_what_failed_says_so_and_hours_say_their_zone(site):
    site.send_tcp(["<86>1 - web-01 sshd 811 - - Failed password for zhao from 198.51.100.9 port 4242 ssh2"], "127.1.1.1")
    until = time.monotonic() + 60
    while (said := site.yushi("who", "zhao", "-o", "table", "--utc")).code != 0:
        assert time.monotonic() < until, said.err
        time.sleep(0.2)
    assert any(line.startswith("  login (failed)") for line in said.lines), said.text
    (hours,) = [line for line in site.yushi("who", "lin", *SINCE, "-o", "table", "--utc").lines if line.startswith("  hours")]
    assert hours.endswith(", in zone UTC"), hours


def test_a_rule_or_tenant_that_nobody_knows_is_said_to_be_none(site):
    said = site.yushi("alerts", "list", "--rule", "nothere")
    assert said.code == 1 and "no alert was ever raised by a rule \"nothere\"; `yushi rules list` names the rules" in said.err
    for ask in (("alerts", "list"), ("stories",)):
        said = site.yushi(*ask, "--tenant", "nothere")
        assert said.code == 1 and "no tenant \"nothere\" has a log in this store" in said.err, said.err
    said = site.yushi("alerts", "list", "--rule", "Log or history", "--severity", "critical")
    assert said.code == 1 and not said.err


def test_a_host_and_an_address(site):
    host = site.yushi("who", "web-01", *SINCE, "-o", "json").objects[0]
    assert host["remembered_bytes"] is None
    assert host["kind"] == "host" and "lin" in {row["user.name"] for row in host["usual"]["accounts"]}
    address = site.yushi("who", "10.20.1.11", *SINCE, "-o", "json").objects[0]
    assert address["kind"] == "address" and [row["user.name"] for row in address["usual"]["accounts"]] == ["lin"]


def test_nobody(site):
    said = site.yushi("who", 'x" or user.name: "lin', *SINCE)
    assert said.code == 1 and said.out == b"" and "no record names" in said.err
    assert site.yushi("who").code == 2 and site.yushi("who", "lin", "--top").code == 2


def test_a_ranking(site):
    ranked = site.yushi("who", "--top", *SINCE, "-o", "json").objects
    assert ranked[0]["name"] == "lin" and ranked[0]["worst"] == "Log or history cleared"
    assert [row["risk"] for row in ranked] == sorted((row["risk"] for row in ranked), reverse=True)


def test_alerts_by_severity_rule_and_whom_they_are_about(site):
    def ids(*args):
        return [alert["yushi"]["alert"]["id"] for alert in site.yushi("alerts", "list", *args, "-o", "json").objects]

    everything = ids()
    high = ids("--severity", "high")
    assert len(high) == 1 and high[0] in everything and len(everything) > 1
    assert ids("--rule", "log OR history") == high
    assert high[0] in ids("--about", "lin") and high[0] in ids("--about", "web-01")
    assert ids("--about", "lin", "-n", "1") == ids("--about", "lin")[-1:]
    assert ids("--about", "li") == []
    assert site.yushi("alerts", "list", "--severity", "wild").code == 2


def test_an_alert_by_the_beginning_of_its_id(site):
    alert = site.yushi("alerts", "list", "--severity", "high", "-o", "json").objects[0]["yushi"]["alert"]["id"]
    assert site.yushi("alerts", "show", alert[:8], "-o", "json").objects[0]["yushi"]["alert"]["id"] == alert
    assert site.yushi("alerts", "show", "zz").code == 1
