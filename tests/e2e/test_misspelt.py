"""What is misspelt is told: a field of a question, of a forwarder or a rule, a modifier, a file that a user gave."""

import json
import os
import subprocess

import pytest

from senders import wait, wait_size
from yushi_daemon import BIN, Daemon, yushi

LINES = ["<86>1 2026-11-23T04:00:00Z web-01 sshd 9 - - Failed password for root from 192.0.2.7 port 22 ssh2",
         "<86>1 2026-08-01T04:00:00Z web-01 sshd 9 - - Accepted password for li.wei from ::ffff:192.0.2.7 port 22 ssh2",
         '<13>1 2026-11-23T04:00:02Z web-02 app - - - {"shelf":"x","took":12}']


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Asks the same of a daemon and of its folder after it."""
    folder = tmp_path_factory.mktemp("misspelt")
    daemon = Daemon(folder)
    with daemon:
        daemon.send_tcp(LINES)
        wait_size(daemon, len(LINES))
        answers = {}

        def ask(*args):
            if daemon.process:
                answers[args] = daemon.yushi(*args)
                return answers[args]
            return yushi(*args, "--store", daemon.data, state=daemon.state)

        ask.daemon, ask.answers = daemon, answers
        yield ask


TOLD = "yushi: no record has the field user.nam; did you mean user.name?\n"


@pytest.mark.parametrize("output", ["table", "raw", "csv", "json"])
def test_a_field_that_no_record_has_is_told_with_what_was_meant(asked, output):
    for query in ("user.nam: root", "user.nam: root | stats count() by host.name"):
        answer = asked("search", query, "-o", output)
        assert (answer.code, answer.err) == (1, TOLD) and not answer.out
    for query in ("* | fields user.nam", "* | stats sum(user.nam)", "* | sort user.nam", "root and not user.nam: x"):
        answer = asked("search", query, "-o", output)
        assert (answer.code, answer.err) == (0, TOLD), query
    assert asked("hist", "*", "--by", "user.nam", "-o", output).err == TOLD
    assert asked("search", "user.name: nobody", "-o", output).err == ""
    assert asked("search", "json.shelv: x", "-o", output).err == "yushi: no record has the field json.shelv; did you mean json.shelf?\n"
    assert asked("search", "* | stats sum(message)", "-o", output).err == "yushi: sum(message) is empty: no value of message is a number\n"


def test_a_follower_is_told_at_once(asked):
    assert asked.daemon.process, "only a daemon is followed"
    follower = subprocess.Popen([BIN / "yushi", "search", "-f", "user.nam: x", "--server", f"unix:{asked.daemon.socket}"],
                                stderr=subprocess.PIPE, text=True, env={**os.environ, "XDG_STATE_HOME": str(asked.daemon.state)})
    try:
        assert follower.stderr.readline() == TOLD
    finally:
        follower.kill()
        follower.wait()


def test_an_object_means_its_name(asked):
    assert asked("search", "user: root").err == "yushi: no record has the field user; did you mean user.name?\n"
    assert asked("search", "host: web-01").err == "yushi: no record has the field host; did you mean host.name?\n"


def test_columns_stand_as_asked_and_know_their_type(asked):
    answer = asked("search", "user.name: * | stats max(@timestamp) as last, count() by process.parent.name, user.name | where last < 2026-09-01", "-o", "csv")
    assert answer.lines == ["process.parent.name,user.name,last,count()", ",li.wei,2026-08-01T04:00:00.000Z,1"]
    answer = asked("search", "* | stats count() by source.ip | where source.ip: 192.0.2.0/24", "-o", "csv")
    assert answer.lines == ["source.ip,count()", "192.0.2.7,2"]


def test_the_store_says_what_the_daemon_said(asked):
    assert asked.daemon.stop() == 0
    for args, said in asked.answers.items():
        again = yushi(*args, "--store", asked.daemon.data, state=asked.daemon.state)
        assert (again.code, again.out, again.err) == (said.code, said.out, said.err), args


RULE = "title: {0}\nid: {0}\nlogsource: {{product: yushi}}\ndetection:\n  s: {{{1}: root}}\n  condition: s\n"


def test_a_start_leaves_wrong_files_out_and_tells_of_them_everywhere(tmp_path):
    for folder in ("parsers", "rules"):
        (tmp_path / folder).mkdir()
    (tmp_path / "parsers" / "bad.yaml").write_text("name: bad\npatterns:\n  - name: x\n    grok: '%{NOPE:foo'\n")
    (tmp_path / "rules" / "typo.yml").write_text(RULE.format("typo", "user.name|contians"))
    (tmp_path / "rules" / "later.yml").write_text(RULE.format("later", "user.name|expand").replace("root", "'%nobody%'"))
    (tmp_path / "rules" / "good.yml").write_text(RULE.format("good", "user.name"))
    config = f"parsers: [{tmp_path / 'parsers'}]\ndetect: {{rules: [{tmp_path / 'rules'}]}}\n"
    wanted = [f"{tmp_path / 'parsers' / 'bad.yaml'}:4:11: ", f"{tmp_path / 'rules' / 'typo.yml'}:5:7: Sigma has no modifier |contians; did you mean contains?",
              f"{tmp_path / 'rules' / 'later.yml'}:5:7: unsupported: modifier |expand"]
    with Daemon(tmp_path, config) as daemon:
        daemon.send_tcp(LINES)
        wait_size(daemon, len(LINES))
        assert len(daemon.search("source.ip: 192.0.2.7")) == 2
        status = daemon.status()
        assert len(status["left_out"]) == 2 and status["rules"] > 1
        assert status["cannot_run"][0].startswith(f"1 rule in {tmp_path / 'rules'} cannot run here: ")
        (record,) = wait(lambda: daemon.search("event.action: load", "--tenant", "_audit"), "for the record of the load")
        assert record["event"]["outcome"] == "failure"
        for told in ("\n".join(status["left_out"]), json.loads(record["event"]["original"])["event"]["reason"], (tmp_path / "yushid.log").read_text()):
            for line in wanted[:2]:
                assert line in told
        assert wait(lambda: "good" in daemon.yushi("alerts", "list").text, "for the good rule's alert")
        assert daemon.stop() == 0
    checked = subprocess.run([BIN / "yushid", "--config", daemon.config, "--check"], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 2
    for line in wanted[:2]:
        assert line in checked.stderr
    answer = yushi("rules", "check", tmp_path / "rules")
    assert answer.code == 2 and wanted[1] in answer.text and wanted[2] in answer.text
    answer = yushi("rules", "check", tmp_path / "rules" / "later.yml")
    assert answer.code == 1 and wanted[2] in answer.text and "1 cannot run" in answer.text
    assert yushi("rules", "test", tmp_path / "rules" / "later.yml").code == 1
    assert yushi("rules", "check", tmp_path / "rules" / "good.yml").code == 0


def test_a_rule_may_name_the_fields_of_own_parsers(tmp_path):
    (tmp_path / "shop.yaml").write_text("name: shop\nmatch: {app: [shop]}\npatterns:\n  - {name: p, grok: 'order %{INT:shop.order}'}\n"
                                        "tests:\n  - {line: 'order 7', expect: {shop.order: '7'}}\n  - {line: 'no', expect: none}\n")
    (tmp_path / "rule.yml").write_text(RULE.format("shop", "shop.order"))
    assert yushi("rules", "check", tmp_path / "rule.yml").code == 2
    assert yushi("rules", "check", tmp_path / "rule.yml", "--parsers", tmp_path).code == 0


def test_a_select_that_nothing_can_match_refuses_the_start(tmp_path):
    daemon = Daemon(tmp_path, "forward:\n  - {type: kafka, brokers: \"127.0.0.1:1\", select: \"usre.name: root\"}\n")
    text = daemon.config.read_text()
    line, column = text[: text.index("usre")].count("\n") + 1, text.index("usre") - text.rindex("\n", 0, text.index("usre"))
    for args in ((), ("--check",)):
        done = subprocess.run([BIN / "yushid", "--config", daemon.config, *args], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2
        assert f"{daemon.config}:{line}:{column}: forward.select: usre.name is a field neither of ECS nor of a parser" in done.stderr
        assert "did you mean user.name?" in done.stderr
    assert not daemon.data.exists()
