"""The ten minutes of docs/adding-a-parser.md as they are written there, and the list of what is known."""

import pathlib
import re
import subprocess

from yushi_daemon import BIN, Daemon, yushi

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/adding-a-parser.md").read_text()
KINDS = {"user-authenticated-from": "{event: login, fields: {event.outcome: success}}", "user-rejected-from": "{event: login, fields: {event.outcome: failure}}",
         "tunnel-opened-for": "{event: session-opened}", "tunnel-closed-for": "{event: session-closed}"}


def sample():
    return re.search(r"## Ten minutes\n.*?```\n(.*?)```", PAGE, re.S).group(1)


def commands():
    said = re.findall(r"`(yushi parse[^`]*)`", PAGE.split("## Ten minutes")[1].split("## The file")[0])
    return [command.split()[1:] for command in said]


def test_ten_minutes_from_a_sample_to_a_loaded_parser(tmp_path):
    (tmp_path / "sample.log").write_text(sample())

    def run(*words):
        return subprocess.run([BIN / "yushi", *words], cwd=tmp_path, capture_output=True, text=True, timeout=600)

    asked = [words for words in commands() if "--since" not in words]
    assert [" ".join(words[:2]) for words in asked] == ["parsers unknown", "parsers new", "parsers check", "parsers test", "parsers test", "parse --parsers"]
    unknown = run(*asked[0])
    assert unknown.returncode == 0 and "user <name> authenticated from <address>" in unknown.stdout.replace("<*>", "<name>"), unknown.stdout
    made = run(*asked[1])
    assert made.returncode == 0, made.stderr
    assert run(*asked[2]).returncode == 0
    whole = run(*asked[3])
    assert whole.returncode == 0 and whole.stdout.endswith(" 0 failed\n"), whole.stdout
    assert len(re.findall(r"^acmevpn\.yaml:\d+: ok", whole.stdout, re.M)) == int(re.search(r"(\d+) tests", whole.stdout).group(1))

    text = (tmp_path / "acmevpn.yaml").read_text()
    assert set(KINDS) <= set(re.findall(r"- name: ([\w-]+)", text)), text
    for name, kind in KINDS.items():
        inner = kind.strip("{}") if "fields" not in kind else kind[1:-1]
        lines = inner.replace(", fields", "\n    fields")
        text = re.sub(rf"(- name: {name} .*\n)", rf"\1    {lines}\n", text)
    text = text.replace("yushi.event: message, ", "")
    (tmp_path / "acmevpn.yaml").write_text(text)
    done = run(*asked[3])
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(*asked[4])
    assert " hostile lines, " in done.stdout, done.stderr
    explained = run(*asked[5])
    assert "won    user-authenticated-from" in explained.stdout and "asked    acmevpn (program acmevpn)" in explained.stdout, explained.stdout

    parsers = tmp_path / "parsers"
    parsers.mkdir()
    (parsers / "acmevpn.yaml").write_text(text)
    with Daemon(tmp_path / "d", f"parsers: [{parsers}]\n") as daemon:
        lines = sample().splitlines()
        daemon.send_tcp([*lines, "<13>Nov 28 03:21:00 gw-3 acmevpn[1]: nobody knows this 17"])
        daemon.wait_records(len(lines) + 1)
        assert len(daemon.search("yushi.event: login and event.outcome: failure and user.name: op7")) == 1
        rows = daemon.yushi("parsers", "unknown", "-o", "json").objects
        assert [(row["count"], row["program"], row["template"]) for row in rows] == [(1, "acmevpn", "nobody knows this <integer>")]
        metrics = daemon.http("/metrics").body.decode()
        assert f'yushi_parse_total{{dataset="acmevpn"}} {len(lines)}' in metrics
        assert 'yushi_parse_unknown_total{dataset="none"} 1' in metrics
        assert 'yushi_parse_unknown_total{dataset="acmevpn"}' not in metrics


def test_new_never_writes_over_a_file(tmp_path):
    (tmp_path / "sample.log").write_text(sample())
    (tmp_path / "a.yaml").write_text("mine")
    answer = yushi("parsers", "new", "acmevpn", "--from", tmp_path / "sample.log", "--out", tmp_path / "a.yaml")
    assert answer.code == 2 and (tmp_path / "a.yaml").read_text() == "mine"


def test_a_wrong_case_is_named(tmp_path):
    (tmp_path / "x.yaml").write_text("name: acmex\nmatch: {app: acmex}\npatterns: [{name: a, grok: 'a %{INT:acmex.n}'}]\n"
                                     "tests:\n  - {line: 'a 1', expect: {acmex.n: 2}}\n  - {line: 'b', expect: none}\n")
    answer = yushi("parsers", "test", tmp_path / "x.yaml")
    assert answer.code == 1
    assert ":5:" in answer.text and "acmex.n is '1', expected '2'" in answer.text and "x.yaml:6: ok: not known" in answer.text


def test_the_list_of_what_is_known_is_the_library():
    done = subprocess.run([ROOT / "scripts/parser-list", "--check", BIN / "yushi"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_rule_whose_test_does_not_hold_is_counted_among_the_tests(tmp_path):
    (tmp_path / "x.yml").write_text("title: X\nid: x\nlogsource: {product: yushi}\ndetection: {s: {message: a}, condition: s}\n"
                                    "yushi: {tests: [{name: b, lines: ['<13>1 %T h p - - - b'], expect: alert}]}\n")
    answer = yushi("rules", "test", tmp_path / "x.yml")
    assert answer.code == 1 and answer.lines[-1] == "1 test, 1 failed", answer.text
