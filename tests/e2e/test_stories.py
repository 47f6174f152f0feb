"""Alerts of one incident are one story: an attacker who guesses, gets in and goes on over three hosts, told in English and in
Chinese; and somebody else's odd act, which is none of it."""

import datetime
import time

import pytest

from senders import wait
from yushi_daemon import Daemon

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=2)
ATTACKER = "203.0.113.9"


def lines():
    out = []

    def say(minutes, host, program, message):
        when = NOW + datetime.timedelta(minutes=minutes)
        out.append(f"<86>1 {when.strftime('%Y-%m-%dT%H:%M:%SZ')} {host} {program} 811 - - {message}")

    def sudo(minutes, host, user, command):
        say(minutes, host, "sudo", f"{user} : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND={command}")

    # Long enough that something can be usual.
    for day in range(8, 0, -1):
        say(-1440 * day, "web-01", "sshd", "Accepted publickey for li.wei from 10.20.1.11 port 5022 ssh2")
    for n in range(12):
        say(n / 10, "web-01", "sshd", f"Failed password for li.wei from {ATTACKER} port {4000 + n} ssh2")
    say(3, "web-01", "sshd", f"Accepted password for li.wei from {ATTACKER} port 4100 ssh2")
    sudo(5, "web-01", "li.wei", "/usr/sbin/visudo")
    sudo(4, "web-01", "li.wei", "/usr/bin/cat /etc/shadow")  # a relay brought the later one first
    say(8, "db-01", "sshd", "Accepted password for li.wei from 10.0.0.11 port 4101 ssh2")
    sudo(9, "db-01", "li.wei", "/usr/sbin/useradd -m svc-sync")
    say(9.1, "db-01", "useradd", "new user: name=svc-sync, UID=1099, GID=1099, home=/home/svc-sync, shell=/bin/bash")
    say(9.2, "db-01", "usermod", "add 'svc-sync' to group 'sudo'")
    say(15, "app-01", "sshd", "Accepted password for svc-sync from 10.0.0.12 port 4102 ssh2")
    sudo(16, "app-01", "svc-sync", "/usr/bin/rm -rf /var/log/audit")
    say(17, "app-01", "systemd", "Stopped System Logging Service.")
    sudo(20, "mail-01", "zhou", "/usr/bin/truncate -s 0 /var/log/mail.log")
    return out


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("stories") / "d") as daemon:
        daemon.send_tcp(lines())
        until = time.monotonic() + 60
        while len(daemon.yushi("alerts", "list", "--about", "mail-01", "-o", "json").objects) < 1:
            assert time.monotonic() < until, "nothing was told"
            time.sleep(0.2)
        yield daemon


@pytest.fixture(scope="module")
def attack(site):
    stories = site.yushi("stories", "list", "--severity", "high", "-o", "json").objects
    (found,) = [story for story in stories if ATTACKER in story["addresses"]]
    return found


def test_the_attack_is_one_story_and_the_other_act_another(site, attack):
    stories = site.yushi("stories", "-o", "json").objects
    assert attack["subject"] == ATTACKER and attack["severity"] == "critical" and attack["open"] is True
    assert attack["hosts"] == ["app-01", "db-01", "web-01"]
    assert {"li.wei", "svc-sync"} <= set(attack["accounts"]) and "zhou" not in attack["accounts"]
    (other,) = [story for story in stories if story["subject"] == "zhou"]
    assert other["hosts"] == ["mail-01"] and other["alerts"] == 1
    (second,) = site.yushi("stories", "list", "--about", "zhou", "-o", "json").objects
    assert second["id"] == other["id"]


def test_its_steps_stand_in_the_order_of_attack(attack):
    order = ["TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0006", "TA0008"]
    tactics = [step["tactic"]["id"] for step in attack["steps"]]
    assert tactics == sorted(tactics, key=order.index) and len(set(tactics)) >= 4
    rules = [step["rule"]["id"] for step in attack["steps"]]
    assert {"guessing.address", "bruteforce.success"} <= set(rules) and len(set(rules)) == len(rules)
    for step in attack["steps"]:
        assert attack["first"] <= step["first"] <= step["last"] <= attack["last"] and step["hits"] >= step["alerts"] >= 1


def test_each_alert_names_its_story(site, attack):
    for alert in site.yushi("alerts", "list", "-o", "json").objects:
        mine = alert["yushi"]["alert"]
        assert (mine["story"]["id"] == attack["id"]) == (mine["id"] in attack["alert_ids"])


def test_show_gives_the_records(site, attack):
    story, *records = site.yushi("stories", "show", attack["id"][:8], "-o", "json").objects
    assert story == attack
    assert {record["event"]["id"] for record in records} == set(attack["records"])
    order = [(record["@timestamp"], record["event"]["id"]) for record in records]
    assert order == sorted(order, key=lambda each: (each[0], int(each[1].split("/")[1]))), "as it happened"
    assert any("visudo" in record["message"] for record in records)
    # By any of its alerts, too.
    assert site.yushi("stories", "show", attack["alert_ids"][-1], "-o", "json").objects[0]["id"] == attack["id"]
    assert site.yushi("stories", "show", "zz").code == 1


@pytest.mark.parametrize("lang, words", [("en", ["Initial Access: Brute force that ends in a success", "failed attempts on this account", "critical"]),
                                         ("zh", ["初始访问：暴力破解成功", "该地址对本账号登录失败 12 次", "防御规避", "严重", "按 ATT&CK 战术顺序"])])
def test_a_person_reads_it_in_his_language(site, attack, lang, words):
    said = site.yushi("stories", "show", attack["id"], "-o", "table", "--lang", lang)
    assert said.code == 0, said.err
    for word in words:
        assert word in said.text, said.text


def test_the_language_is_that_of_the_reader_and_never_of_what_is_kept(site):
    english = site.yushi("alerts", "list", "-o", "json", "--lang", "en").out
    assert english == site.yushi("alerts", "list", "-o", "json", "--lang", "zh").out
    table = site.yushi("alerts", "list", "-o", "table", "--lang", "zh").text
    assert "日志或命令历史被清除" in table and "Log or history cleared" not in table
    assert "日志或命令历史被清除" in site.yushi("alerts", "list", "-o", "table", env={"LC_ALL": "zh_CN.UTF-8"}).text
    assert "Log or history cleared" in site.yushi("alerts", "list", "-o", "table", env={"LC_ALL": "C"}).text
    assert "zhou" in site.yushi("alerts", "list", "-o", "table", "--lang", "zh", "--about", "zhou").text
    assert site.yushi("alerts", "list", "--lang", "fr").code == 2


def test_who_ranks_by_stories_and_shows_them(site, attack):
    ranked = site.yushi("who", "--top", "-o", "json").objects
    assert ranked[0]["name"] == ATTACKER and ranked[0]["stories"] == 1 and ranked[0]["open"] == 1
    assert len(ranked) < len(attack["alert_ids"])
    said = site.yushi("who", "li.wei", "-o", "json").objects[0]
    assert attack["id"] in {story["id"] for story in said["stories"]}
    assert said["privileged"]["as_root"] == 3
    shown = site.yushi("who", "li.wei", "-o", "table", "--lang", "zh").text
    assert "特权账号" in shown and "未结束" in shown and attack["id"][:8] in shown


def test_privileged_accounts_are_found_from_what_they_do(site):
    found = {row["name"]: row for row in site.yushi("who", "--privileged", "-o", "json").objects}
    assert set(found) == {"li.wei", "svc-sync", "zhou"}
    assert found["svc-sync"]["groups"] == ["sudo"] and found["svc-sync"]["as_root"] == 1


def test_a_restart_goes_on_with_the_story(site, attack):
    site.kill()
    site.start()
    when = (NOW + datetime.timedelta(minutes=40)).strftime("%Y-%m-%dT%H:%M:%SZ")
    site.send_tcp([f"<86>1 {when} web-02 sudo 811 - - svc-sync : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/rm -rf /var/log/audit"])
    until = time.monotonic() + 60
    while True:
        found = site.yushi("stories", "show", attack["id"], "-o", "json").objects[0]
        if "web-02" in found["hosts"]:
            break
        assert time.monotonic() < until, found
        time.sleep(0.2)
    assert site.yushi("verify").code == 0


def test_a_story_of_long_ago_is_over_and_what_yushid_says_of_itself_is_none(tmp_path):
    when = (NOW - datetime.timedelta(days=30)).strftime("%Y-%m-%dT%H:%M")
    with Daemon(tmp_path / "d") as daemon:
        daemon.send_tcp([f"<86>1 {when}:{n:02}Z web-01 sshd 811 - - Failed password for li.wei from {ATTACKER} port 4000 ssh2" for n in range(12)])
        wait(lambda: daemon.yushi("alerts", "list", "-o", "json").objects, "for the alert")
        assert daemon.yushi("rules", "canary").code == 0
        wait(lambda: daemon.yushi("alerts", "list", "--rule", "yushid.canaries", "-o", "json").objects, "for the canaries' alert")
        (story,) = daemon.yushi("stories", "-o", "json").objects
        assert story["subject"] == ATTACKER and story["open"] is False
        answer = daemon.yushi("stories", "show", "li.wei")
        assert answer.code == 1 and "yushi who li.wei" in answer.err
