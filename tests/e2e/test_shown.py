"""What is shown of strangers' text, in each form and on each kind of output: nothing acts, nothing hides, nothing computes."""

import csv
import io
import json
import os
import pty
import re
import socket
import subprocess
import unicodedata

import pytest

from yushi_daemon import BIN, Daemon, yushi

# What a terminal obeys or does not show: Unicode's own categories, its default ignorables, and blank glyphs.
IGNORABLE = [(0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0),
             (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF), (0x2800, 0x2800), (0xFDD0, 0xFDEF)]


def is_unseen(code):
    if 0xD800 <= code < 0xE000:
        return False
    category = unicodedata.category(chr(code))
    return (category in ("Cc", "Cf", "Zl", "Zp") or category == "Zs" and code not in (0x20, 0x3000) or (code & 0xFFFE) == 0xFFFE
            or any(first <= code <= last for first, last in IGNORABLE))


UNSEEN = [code for code in range(0x110000) if is_unseen(code)]
OURS = re.compile(r"\x1b\[(31|33|0)m|\r\x1b\[K")  # colours, and the progress of verify
# One of each kind, and sequences that terminals obey.
TREACHEROUS = ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\x90q\x9c", "\r2026-11-01 forged", "\x08\x08\x7f", "\u202eexe.\u202c", "\u2066x\u2069",
               "ro\u00adot", "ro\u034fot", "ro\u115fot", "ro\u180eot", "ro\u200bot", "ro\u2800ot", "ro\u3164ot", "ro\uffa0ot", "ro\ufe0fot",
               "ro\ufeffot", "ro\U0001bca0ot", "ro\U0001d173ot", "ro\U000e0041ot", "ro\U000e0100ot", "ro\ufff9ot", "ro\u2028ot", "ro\ufffeot",
               "ro\u00a0ot", "ro\u2003ot", "\u061cx", "\u2060x"]


def on_terminal(*args, stdin=b"", env=None):
    """What the CLI writes to a terminal on stdout and stderr, as text."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8", **(env or {})}
    process = subprocess.Popen([BIN / "yushi", *map(str, args)], stdin=subprocess.PIPE, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    process.stdin.write(stdin)
    process.stdin.close()
    out = b""
    while True:
        try:
            some = os.read(master, 65536)
        except OSError:  # the last writer has closed
            break
        if not some:
            break
        out += some
    os.close(master)
    process.wait(60)
    return out.decode().replace("\r\n", "\n")


def unseen_of(shown):
    return sorted({f"U+{ord(c):04X}" for c in OURS.sub("", shown).replace("\n", "") if is_unseen(ord(c))})


def ask(daemon, *args):
    return on_terminal(*args, "--server", f"unix:{daemon.socket}", env={"XDG_STATE_HOME": str(daemon.state)})


def octet_counted(text):
    encoded = text.encode()
    return b"%d " % len(encoded) + encoded


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A daemon that was sent every kind of such text, in every place that a sender may write."""
    messages = [f"<13>1 2026-11-01T08:00:{i % 60:02d}Z h m{i} - - - {text} end" for i, text in enumerate(TREACHEROUS)]
    for at in range(0, len(UNSEEN), 500):
        text = "".join(chr(code) + "." for code in UNSEEN[at:at + 500] if code not in (0, 10))
        messages.append(f"<11>1 2026-11-01T09:00:00Z h all - - - {text}")
    for i, text in enumerate(TREACHEROUS):
        messages.append(f"<13>Nov  1 08:01:00 h{text} p{text}[7]: header {i}")
        messages.append(f'<13>1 2026-11-01T08:02:00Z h sd - - [x@1 a="{text}"] structured')
        messages.append(f'<13>1 2026-11-01T08:03:00Z h kv - - - key{text}="{text}" other=1 third=2')
        messages.append("<13>1 2026-11-01T08:04:00Z h js - - - " + json.dumps({f"k{text}": text}, ensure_ascii=False))
        messages.append(f"<85>1 2026-11-01T08:05:00Z h{i} sudo - - -   ann : user NOT in sudoers ; TTY=pts/0 ; PWD=/home/{text} ; USER=root ; "
                        f"COMMAND=/bin/sh -c {text}\n2026\tx\thigh")
        messages.append(f"<86>1 2026-11-01T08:06:00Z h{i} useradd 9 - - new user: name=svc{text}, UID=0, GID=0, home=/root, shell=/bin/{text}")
    with Daemon(tmp_path_factory.mktemp("shown")) as running:
        with socket.create_connection(("127.0.0.1", running.port("tcp"))) as connection:
            connection.sendall(b"".join(octet_counted(message) for message in messages))
        running.wait_records(len(messages))
        yield running


ASKS = [("search", "*"), ("search", "* | fields host.name, process.name, message, log.syslog.structured_data.x@1.a"),
        ("search", "* | stats count() by message"), ("search", "process.name: kv | stats count() by host.name, event.original"),
        ("hist", "*", "--every", "1d", "--by", "message"), ("alerts", "list"), ("sources",), ("status",), ("checkpoint",), ("verify",)]


@pytest.mark.parametrize("output", ["table", "csv", "json"])
@pytest.mark.parametrize("asked", ASKS, ids=" ".join)
def test_nothing_unseen_reaches_a_terminal(hostile, asked, output):
    shown = ask(hostile, *asked, "-o", output)
    assert shown and unseen_of(shown) == []


def test_nothing_unseen_reaches_a_terminal_from_an_alert_or_an_error(hostile):
    alerts = hostile.yushi("alerts", "list", "-o", "json").objects
    assert len(alerts) >= len(TREACHEROUS)
    for alert in alerts:
        for output in ("table", "csv", "json"):
            shown = ask(hostile, "alerts", "show", alert["yushi"]["alert"]["id"], "-o", output)
            assert "event" in shown or "records" in shown
            assert unseen_of(shown) == [], output
    for text in TREACHEROUS:
        for wrong in (("search", f"user.name: ({text}"), ("search", "x", "--since", text), ("search", "x", "-o", text), ("alerts", "show", text),
                      ("checkpoint", text), (text,), ("hist", "*", "--every", text)):
            shown = ask(hostile, *wrong)
            assert shown and unseen_of(shown) == [], wrong


def test_json_has_the_same_values_on_a_terminal_in_a_pipe_and_from_the_api(hostile):
    on_screen = [json.loads(line) for line in ask(hostile, "search", "*", "-o", "json").splitlines()]
    piped = hostile.yushi("search", "*", "-o", "json").objects
    from_api = [json.loads(line) for line in hostile.http("/api/v1/search?query=*").body.splitlines()]
    assert on_screen == piped == from_api[:-1]
    messages = [record["message"] for record in piped if re.fullmatch(r"m\d+", record.get("process", {}).get("name", ""))]
    assert messages == [text + " end" for text in TREACHEROUS]


def test_parse_and_the_check_of_files_show_nothing_unseen(tmp_path):
    lines = "\n".join(f"<13>1 2026-11-01T08:00:00Z h{text} app - - - k{text}={text} l=2 {text}" for text in TREACHEROUS if "\n" not in text).encode()
    for options in ((), ("--explain",), ("--stats",)):
        shown = on_terminal("parse", *options, stdin=lines)
        assert shown and unseen_of(shown) == [], options
    for i, text in enumerate(TREACHEROUS):
        quoted = json.dumps(text)  # YAML takes JSON's strings
        (tmp_path / f"{i}.yaml").write_text(f"name: {quoted}\ndataset: {quoted}\npatterns:\n  - name: {quoted}\n    grok: {quoted}\n")
        (tmp_path / f"{i}.yml").write_text(f"title: {quoted}\nid: {quoted}\nlogsource: {{product: linux}}\n"
                                           f"detection: {{s: {{{quoted}: {quoted}}}, condition: {quoted}}}\nlevel: {quoted}\n")
        for kind, suffix in (("parsers", "yaml"), ("rules", "yml")):
            for command in ("list", "check", "test"):
                shown = on_terminal(kind, command, tmp_path / f"{i}.{suffix}")
                assert shown and unseen_of(shown) == [], (kind, command, text)


def test_a_wrong_config_and_the_daemons_log_show_nothing_unseen(tmp_path):
    for i, text in enumerate(TREACHEROUS):
        path = tmp_path / f"{i}.yaml"
        path.write_text(json.dumps({"node": text, f"key{text}": text}))
        done = subprocess.run([BIN / "yushid", "--config", path, "--check"], capture_output=True, timeout=60)
        assert done.returncode == 2 and unseen_of((done.stdout + done.stderr).decode()) == [], text
    folder = tmp_path / "parsers"
    folder.mkdir()
    with Daemon(tmp_path / "log", f"parsers: [{folder}]\n") as running:
        (folder / "bad.yaml").write_text("name: bad\npatterns:\n  - name: x\n    grok: " + json.dumps("%{" + "".join(TREACHEROUS) + ":a}") + "\n")
        running.process.send_signal(1)
        log = lambda: (running.folder / "yushid.log").read_bytes().decode()
        running._wait(lambda: "bad.yaml" in log(), "to name the bad file")
        assert unseen_of(log()) == []


# ----------------------------------------------------------------------------------------------------------------- csv

FORMULAS = ['=1+1', "=cmd|'/c calc'!A1", '+1+1', '-1+1', '-', '@SUM(A1)', ' =1+1', '\t=1+1', '\r=1+1', '＝1+1', '＋1', '－1', '＠SUM', '　=1',
            '\u00a0=1', '\u200b=1', '\u200b\ufeff+1', '\x0b=1', '\x0c=1', '\u2003@x', '\u2028=1']
PLAIN = ['-5', '-5.25', '-1e9', '5', 'a=1', "'quoted'", 'x,"y"', '张三', 'x;=1+1']


@pytest.fixture(scope="module")
def spreadsheet(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("csv")) as running:
        texts = FORMULAS + PLAIN
        running.send_tcp([f"<13>1 2026-11-01T08:00:{i:02d}Z h {text if text.isascii() and text.isprintable() and ' ' not in text else '-'} - - - {text}"
                          for i, text in enumerate(texts)])
        running.wait_records(len(texts))
        yield running


@pytest.mark.parametrize("query", ["*", "* | fields @timestamp, message", "* | stats count() by message"])
def test_no_cell_of_a_csv_is_a_formula_and_all_else_is_as_it_came(spreadsheet, query):
    rows = list(csv.reader(io.StringIO(spreadsheet.yushi("search", query, "-o", "csv").out.decode(), newline="")))
    at = rows[0].index("message")
    assert '"x;=1+1"' in spreadsheet.yushi("search", query, "-o", "csv").out.decode()  # some take `;` for the separator
    assert sorted(row[at] for row in rows[1:]) == sorted(["'" + text for text in FORMULAS] + PLAIN)


def test_a_name_in_any_column_of_any_csv_is_no_formula(spreadsheet):
    for asked in (("search", "*"), ("search", "* | stats count() by process.name"), ("hist", "*", "--every", "1d", "--by", "process.name"),
                  ("search", "* | stats count() as =x"), ("sources",), ("status",), ("alerts",)):
        text = spreadsheet.yushi(*asked, "-o", "csv").out.decode()
        for row in csv.reader(io.StringIO(text.removeprefix("@timestamp"), newline="")):
            assert [cell for cell in row if cell[:1] in tuple("=+@\t\r") or cell[:1] == "-" and not re.fullmatch(r"-\d[\d.e]*", cell)] == []


# -------------------------------------------------------------------------------------------------------------- tables


def stops_of(line):
    """Where each cell but the first begins on a terminal: a wide character takes two columns, a tab goes on to the next stop."""
    wide = "".join(c + " " if unicodedata.east_asian_width(c) in "WF" else c for c in line)
    return [len(wide[:at.end()].expandtabs(8)) for at in re.finditer("\t", wide)]


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("tables")) as running:
        long = "/" + "very-long-" * 20
        running.send_tcp([f"<85>1 2026-11-01T08:00:0{i}Z web-0{i} sudo 9 - -   {who} : TTY=pts/0 ; PWD=/ ; USER=root ; "
                          f"COMMAND=/usr/bin/rm -rf /var/log {long}" for i, who in enumerate(["ann", "张三丰", "ユーザー"])])
        running.wait_records(3)
        yield running, long


@pytest.mark.parametrize("asked, names", [
    (("alerts",), ["raised", "event time", "id", "severity", "state", "tenant", "rule", "reason"]),
    (("sources",), ["tenant", "source", "transports", "first seen", "last seen", "silent", "records", "bytes", "per s", "clock skew s", "losses"]),
    (("search", "* | stats count() as n by user.name"), ["user.name", "n"]),
    (("search", "* | fields user.name, @timestamp, process.command_line"), ["user.name", "@timestamp", "process.command_line"]),
    (("hist", "*", "--every", "1h", "--by", "user.name"), ["@timestamp", "user.name", "count()"]),
    (("rules", "list"), ["level", "title", "id", "file"]),
    (("parsers", "list"), ["parser", "vendor", "dataset", "patterns", "tests", "asked", "aliases", "kinds", "file"]),
], ids=lambda part: " ".join(part))
def test_a_table_in_a_pipe_has_its_names_straight_columns_and_whole_cells(busy, asked, names):
    running, long = busy
    answer = yushi(*asked) if asked[1:] == ("list",) else running.yushi(*asked)
    assert answer.code == 0, answer.err
    head, *rows = answer.lines
    assert [name.strip() for name in head.split("\t")] == names and rows and "\x1b" not in answer.text
    for row in rows:
        cells = row.split("\t")
        assert len(cells) == len(names), row
        if all(len(cell) < 40 for cell in cells[:-1]):  # a column grows no wider
            assert stops_of(row) == stops_of(head), (row, head)
    if "reason" in names or "process.command_line" in names:
        assert answer.text.count(long) >= 3, "cells are whole"


def test_status_in_a_pipe_says_what_it_says_on_a_terminal(busy):
    running, _ = busy
    piped = running.yushi("status").text
    words = lambda text: [re.sub(r"\d+", "N", word) for word in text.split()]
    assert words(piped) == words(ask(running, "status"))
    assert "log" in piped and "records" in piped and "node: e2e" in piped


def test_search_in_a_pipe_is_raw_for_records_and_a_table_for_rows(busy):
    running, _ = busy
    assert running.yushi("search", "web-00").out.startswith(b"<85>1 2026-11-01T08:00:00Z web-00 sudo 9 - -   ann : TTY")
    assert running.yushi("search", "* | stats count() by host.name").lines[0].split() == ["host.name", "count()"]
    assert running.yushi("search", "* | stats count() by host.name", "-o", "raw").lines[0] == "web-00\t1"
