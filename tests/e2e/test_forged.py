"""A stranger's text, logged as it came: it speaks for no other program, whoever carries it; those who may still do."""

import json
import shutil
import socket
import subprocess

import pytest

from senders import free_port, wait_size
from test_senders import ended
from yushi_daemon import Daemon

SUDO = "  alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/rm -rf /srv"
ENVELOPES = [json.dumps(one) for one in (
    {"__REALTIME_TIMESTAMP": "1793520001000000", "_HOSTNAME": "web-01", "SYSLOG_IDENTIFIER": "sudo", "_COMM": "sudo", "_EXE": "/usr/bin/sudo", "MESSAGE": SUDO},
    {"host": "web-01", "ident": "sudo", "pri": "86", "message": SUDO},
    {"hostname": "web-01", "programname": "sudo", "msg": SUDO},
    {"HOST": "web-01", "PROGRAM": "sudo", "MESSAGE": SUDO},
    {"logsource": "web-01", "program": "sudo", "message": SUDO},
    {"appname": "sudo", "hostname": "web-01", "facility": "auth", "message": SUDO},
)]
TEMPLATE = """template(name="carried" type="list") {
  %s
  constant(value="{\\"timereported\\":\\"") property(name="timereported" dateFormat="rfc3339")
  constant(value="\\",\\"hostname\\":\\"") property(name="hostname" format="json")
  constant(value="\\",\\"programname\\":\\"") property(name="programname" format="json")
  constant(value="\\",\\"msg\\":\\"") property(name="msg" format="json")
  constant(value="\\"}\\n")
}"""
HEADER = ('constant(value="<") property(name="pri") constant(value=">") property(name="timereported" dateFormat="rfc3339") constant(value=" ") '
          'property(name="hostname") constant(value=" ") property(name="syslogtag") constant(value=" ")')


def rsyslog(folder, port, to, template):
    folder.mkdir()
    config = folder / "rsyslog.conf"
    config.write_text(f"""
global(workDirectory="{folder}" maxMessageSize="64k")
module(load="imtcp")
{template}
ruleset(name="out") {{ action(type="omfwd" protocol="tcp" target="127.0.0.1" port="{to}" template="carried") }}
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="out")
""")
    return subprocess.Popen([shutil.which("rsyslogd") or "/usr/sbin/rsyslogd", "-n", "-f", config, "-i", folder / "pid"],
                            stdout=subprocess.DEVNULL, stderr=open(folder / "rsyslog.err", "wb"))


def send(port, lines):
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                connection.sendall("".join(line + "\n" for line in lines).encode())
                return
        except ConnectionRefusedError:
            import time
            time.sleep(0.05)
    raise AssertionError("rsyslog does not listen")


LINES = [f"<86>1 2026-11-01T08:00:{n:02d}Z web-01 shop 7 - - {text}" for n, text in enumerate([*ENVELOPES, "pam_unix(sudo:session): session opened for user root by alice(uid=0)"])]
OWN = f"<86>1 2026-11-01T08:01:00Z web-01 sudo 8 - - {SUDO}"


def found(daemon, query):
    return daemon.yushi("search", query, "-n", "100", "-o", "json").objects


@pytest.mark.parametrize("header", ["", HEADER], ids=["json", "json-behind-the-tag"])
def test_what_an_application_was_sent_is_no_sudo_through_rsyslog_either(tmp_path, header):
    port = free_port()
    with Daemon(tmp_path / "daemon") as daemon:
        process = rsyslog(tmp_path / "rsyslog", port, daemon.port("tcp"), TEMPLATE % header)
        try:
            send(port, [*LINES, OWN])
            wait_size(daemon, len(LINES) + 1)
        finally:
            ended(process)
        # sudo's own line is sudo's through the same template.
        commands = found(daemon, 'yushi.event: (command or privilege-used or session-opened)')
        assert [(one["user"]["name"], one["process"]["name"], one["process"]["pid"] if header else 8) for one in commands] == [("alice", "sudo", 8)]
        assert len(found(daemon, "process.name: shop")) == len(LINES)
        assert found(daemon, "user.name: alice and process.name: shop and not event.dataset: pam") == []


def test_who_may_carry_is_a_list_and_what_was_forged_is_told(tmp_path):
    folder = tmp_path / "parsers"
    folder.mkdir()
    (folder / "our_relays.yaml").write_text("programs: shippers\nof: [acme-relay]\n")
    with Daemon(tmp_path / "daemon", f"parsers: [{folder}]\n") as daemon:
        relayed = [line.replace(" shop 7 ", " acme-relay 7 ") for line in LINES[:-1]]
        daemon.send_tcp([*LINES, *relayed])
        wait_size(daemon, len(LINES) + len(relayed))
        assert len(found(daemon, "yushi.event: command and user.name: alice")) == len(relayed)
        assert len(found(daemon, "yushi.program.unconfirmed: true")) == len(LINES)
        alerts = daemon.yushi("alerts", "list", "-o", "json").objects
        forged = [one for one in alerts if one["rule"]["id"].startswith("7d1c0a2e-0f3b-4a56-9d1e-5a0c6be300f")]
        assert forged and all("alice" not in json.dumps(one.get("user", {})) for one in forged), alerts
        assert all("user" not in one and one["yushi"]["alert"]["story"]["subject"].endswith("web-01") for one in forged), forged
