"""`rules list` and `parsers list`: a daemon's, with what they have seen and what was left out; and without one, of files."""

import signal
import time

import pytest

from senders import wait
from yushi_daemon import Daemon, yushi

RULE = """title: A lamp is lit
id: 5f0c1f0a-3a53-4c1c-9c0e-3a2b7d0f1e01
status: test
level: low
logsource: {product: yushi}
detection:
  lamp:
    message|contains: lamp-%s
  condition: lamp
"""
OTHER = RULE.replace("A lamp is lit", "Nobody lights this").replace("1e01", "1e02") % "never"

def folder(tmp_path):
    for name in ("rules", "parsers"):
        (tmp_path / name).mkdir()
    (tmp_path / "rules" / "lamp.yml").write_text(RULE % "lit")
    (tmp_path / "rules" / "never.yml").write_text(OTHER)
    (tmp_path / "rules" / "broken.yml").write_text("title: a rule without a place to look\ndetection: {a: {b: c}, condition: a}\n")
    (tmp_path / "parsers" / "broken.yaml").write_text("dataset: 7\npatterns: no\n")
    return f"detect: {{rules: [{tmp_path}/rules]}}\nparsers: [{tmp_path}/parsers]\n"


def lines(answer):
    assert answer.code == 0, answer.err
    return answer.objects


def rules_of(daemon):
    return {each["id"]: each for each in lines(daemon.yushi("rules", "list", "-o", "json")) if "id" in each}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    folder_ = tmp_path_factory.mktemp("lists")
    with Daemon(folder_, folder(folder_)) as running:
        running.send_tcp([f"<13>1 - h1 sshd 7 - - Failed password for root from 192.0.2.{i} port 4242 ssh2" for i in range(3)])
        running.send_tcp([b"<13>1 - h1 lampd - - - lamp-lit in the hall", b"<13>1 - h1 lampd - - - lamp-lit again"])
        running.wait_records(5)
        yield running


LAMP, NEVER = "5f0c1f0a-3a53-4c1c-9c0e-3a2b7d0f1e01", "5f0c1f0a-3a53-4c1c-9c0e-3a2b7d0f1e02"


def test_a_rule_tells_its_hits_the_last_of_them_and_its_cost(daemon):
    rules = rules_of(daemon)
    assert (rules[LAMP]["hits"], rules[LAMP]["title"], rules[LAMP]["level"]) == (2, "A lamp is lit", "low")
    assert rules[LAMP]["path"].endswith("rules/lamp.yml") and rules[LAMP]["line"] == 1
    assert rules[LAMP]["last_hit"][:10] == time.strftime("%Y-%m-%d", time.gmtime())
    assert (rules[NEVER]["hits"], rules[NEVER]["last_hit"]) == (0, None)
    assert all(rule["cost_ms"] >= 0 for rule in rules.values())
    daemon.send_tcp([b"<13>1 - h1 lampd - - - lamp-lit once more"])
    daemon.wait_records(6)
    assert rules_of(daemon)[LAMP]["hits"] == 3 and rules_of(daemon)[LAMP]["last_hit"] > rules[LAMP]["last_hit"]


def test_a_parser_tells_what_it_knew(daemon):
    parsers = {each["parser"]: each for each in lines(daemon.yushi("parsers", "list", "-o", "json")) if "parser" in each}
    assert parsers["sshd"]["hits"] == 3 and parsers["sshd"]["last_hit"] and parsers["sshd"]["path"].endswith("sshd.yaml")
    assert parsers["sshd"]["cost_ms"] > 0, "the first message is measured, and asks it first"
    assert parsers["sudo"]["hits"] == 0 and parsers["sudo"]["last_hit"] is None


@pytest.mark.parametrize("what, file", [("rules", "broken.yml"), ("parsers", "broken.yaml")])
def test_what_was_left_out_stands_there_with_its_place_and_reason(daemon, what, file):
    (left_out,) = [each for each in lines(daemon.yushi(what, "list", "-o", "json")) if "left_out" in each]
    assert file + ":1:" in left_out["left_out"] and left_out["reason"].endswith("; the file is left out")
    assert f"{left_out['left_out']}: {left_out['reason']}" in daemon.yushi(what, "list", "-o", "table").text


def test_the_daemon_says_since_when_it_counts_and_the_columns_are_there(daemon):
    answer = daemon.yushi("rules", "list")
    assert "since the daemon's start" in answer.err
    assert answer.lines[0].split() == ["level", "title", "id", "hits", "last", "hit", "cost", "ms", "file"]
    (row,) = [each for each in answer.lines if LAMP in each]
    assert [cell.strip() for cell in row.split("\t")][:3] == ["low", "A lamp is lit", LAMP]


def test_files_that_are_named_are_listed_though_a_daemon_runs(daemon):
    said = lines(daemon.yushi("rules", "list", "-o", "json", str(daemon.folder / "rules" / "lamp.yml")))
    assert [each["id"] for each in said] == [LAMP] and "hits" not in said[0]


def test_without_a_daemon_files_are_listed_and_one_that_is_named_must_answer(tmp_path):
    assert "hits" not in lines(yushi("parsers", "list", "-o", "json"))[0]
    answer = yushi("rules", "list", "--server", f"unix:{tmp_path}/nobody.sock")
    assert answer.code == 2 and "does yushid run there?" in answer.err


def test_counts_go_on_over_a_reload_and_begin_anew_with_a_start(tmp_path):
    with Daemon(tmp_path, folder(tmp_path)) as daemon:
        daemon.send_tcp([b"<13>1 - h1 lampd - - - lamp-lit"])
        daemon.wait_records(1)
        (tmp_path / "rules" / "never.yml").unlink()
        daemon.process.send_signal(signal.SIGHUP)
        wait(lambda: NEVER not in rules_of(daemon), "for the reload")
        assert rules_of(daemon)[LAMP]["hits"] == 1
        daemon.send_tcp([b"<13>1 - h1 lampd - - - lamp-lit"])
        daemon.wait_records(2)
        assert rules_of(daemon)[LAMP]["hits"] == 2
        daemon.kill()  # what the detectors are shown again was counted before
        daemon.start()
        assert rules_of(daemon)[LAMP]["hits"] == 0
