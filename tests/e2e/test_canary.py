"""`yushi rules canary`: which rules of the running daemon stay silent about their own tests."""

import json
import re
import subprocess

import pytest

from senders import wait
from yushi_daemon import Daemon, yushi

RULE = """title: Vault opened
id: 11111111-2222-4333-8444-555555555555
status: stable
description: d
author: a
level: high
logsource: {product: yushi}
detection:
  opened: {process.name: vaultd, message|contains: opened}
  condition: opened
yushi:
  key: [host.name]
  reason: 'a vault was opened on %{host.name}'
  tests:
    - name: opened
      lines: ['<30>1 %T web-01 vaultd 1 - - vault 7 opened']
      expect: alert
    - name: closed
      lines: ['<30>1 %T web-01 vaultd 1 - - vault 7 closed']
      expect: none
"""
SILENCE = """title: Not this vault
id: 11111111-2222-4333-8444-666666666666
description: d
logsource: {product: yushi}
filter:
  rules: [11111111-2222-4333-8444-555555555555]
  maintenance: {message|contains: vault 7}
  condition: not maintenance
"""


@pytest.fixture
def rules(tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "vault.yml").write_text(RULE)
    return folder


def canaries_in_audit(daemon):
    return [record for record in daemon.search("event.action: canaries", "--tenant", "_audit")]


def test_all_rules_are_told_and_nothing_of_it_stays_but_its_own_record(tmp_path, rules):
    with Daemon(tmp_path / "d", f"detect: {{rules: [{rules}]}}\n") as daemon:
        for times in (1, 2):  # the second time nothing is usual yet, nor folded
            answer = daemon.yushi("rules", "canary")
            assert answer.code == 0, answer.text + answer.err
            released, run = map(int, re.match(r"(\d+) canaries of (\d+) rules that run; 0 rules stay silent$", answer.lines[-1]).groups())
            assert 50 < released <= run
            wait(lambda: len(canaries_in_audit(daemon)) == times, "for the record")
        answer = daemon.yushi("rules", "canary", "-o", "json")
        assert any(said.get("title") == "Vault opened" and said["reason"] == "a vault was opened on web-01" for said in answer.objects)
        assert daemon.records() == 0
        answer = daemon.yushi("alerts", "list", "-o", "json")
        assert {alert["rule"]["id"] for alert in answer.objects} == {"yushid.canaries"}
        assert {alert["yushi"]["alert"]["severity"] for alert in answer.objects} == {"informational"}
        assert all("organization" not in alert for alert in answer.objects), "it is of no tenant"
        assert all(rule["hits"] == 0 for rule in daemon.yushi("rules", "list", "-o", "json").objects if "hits" in rule)


def test_a_rule_that_a_filter_silences_and_one_that_was_left_out_are_named(tmp_path, rules):
    (rules / "silence.yml").write_text(SILENCE)
    (rules / "wrong.yml").write_text("title: [\n")
    with Daemon(tmp_path / "d", f"detect: {{rules: [{rules}]}}\n") as daemon:
        answer = daemon.yushi("rules", "canary")
        assert answer.code == 1
        assert "Vault opened" in answer.text and "vault.yml:1" in answer.text and "wrong.yml" in answer.text
        assert answer.lines[-1].endswith(" rules that run; 1 rule stays silent, 1 file is wrong")
        record = wait(lambda: canaries_in_audit(daemon), "for the record")[0]
        assert "no acts of anybody" in record["message"] and "Vault opened (11111111-2222-4333-8444-555555555555)" in record["message"]
        (alert,) = [each for each in daemon.yushi("alerts", "list", "-o", "json").objects if each["rule"]["id"] == "yushid.canaries"]
        assert alert["yushi"]["alert"]["severity"] == "high"
        assert alert["yushi"]["alert"]["rule_name_zh"] == "规则自检" and "1 条未告警：" in alert["yushi"]["alert"]["reason_zh"]
        assert "1 stays silent: Vault opened" in alert["yushi"]["alert"]["reason"] and "; 1 file is wrong: " in alert["yushi"]["alert"]["reason"]
        assert daemon.yushi("rules", "canary", "--server", "unix:/nowhere").code == 2


def test_rules_that_cannot_run_here_are_one_line_and_no_trouble(tmp_path, rules):
    """As of a checkout of published rules: of other systems' logs, twice there, beside files that are no rules."""
    (rules / "mac.yml").write_text(RULE.replace("11111111-2222-4333-8444-555555555555", "11111111-2222-4333-8444-777777777777").replace("{product: yushi}", "{product: nosuch, service: nolog}"))
    (rules / "a").mkdir()
    (rules / "a" / "rule.yml").write_text(RULE)
    (rules / "a" / "info.yml").write_text("id: x\nregression_tests_info: []\n")
    told = f"1 rule in {rules} cannot run here: "
    with Daemon(tmp_path / "d", f"detect: {{rules: [{rules}]}}\n") as daemon:
        status = daemon.yushi("status")
        assert status.lines[0] == "OK" and told in status.text
        assert daemon.status()["left_out"] == [] and daemon.status()["cannot_run"][0].startswith(told)
        answer = daemon.yushi("rules", "canary")
        assert answer.code == 0 and answer.lines[-1].endswith("; 0 rules stay silent"), answer.text
        (alert,) = [each for each in daemon.yushi("alerts", "list", "-o", "json").objects if each["rule"]["id"] == "yushid.canaries"]
        assert alert["yushi"]["alert"]["severity"] == "informational"
        assert "mac.yml:1:" not in status.text and "log source (product nosuch, service nolog)" in daemon.yushi("rules", "list", "-o", "table").text
        (loaded,) = wait(lambda: daemon.search("event.action: load", "--tenant", "_audit"), "for what the start says of itself")
        assert told in loaded["message"] and loaded["event"]["outcome"] == "success"
        checked = subprocess.run([daemon.program, "--config", daemon.config, "--check"], capture_output=True, text=True, timeout=60)
        assert checked.returncode == 0 and told in checked.stdout and not checked.stderr
    answer = yushi("rules", "check", rules)
    assert answer.code == 1
    assert answer.lines[-1] == "4 files: 1 rule, 0 correlations, 2 tests; 1 cannot run; 1 file says what another one says; 1 document is no rule"
