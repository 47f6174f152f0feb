"""The same behaviours as others than sudo and the audit system tell them: shells, sensors, bastions, databases; each beside its twin."""

import datetime
import itertools
import json

from spellings import said, spelling

COMMANDS = {  # what is done, and what looks alike
    "logging-left-stopped": ("systemctl stop rsyslog", "systemctl status rsyslog"),
    "log-cleared": ("rm -f /var/log/secure", "tail /var/log/secure"),
    "account-made": ("useradd -m -G wheel svc2", "id svc2"),
}


KINDS = itertools.cycle(COMMANDS)


def told_by(name, host, program, tell, priority=134):
    """`tell` writes the message of a command, at 11:00 of that day; the next kind for each teller."""
    kind = next(KINDS)
    act, twin = (said(("11:00", host, program, tell(command), priority)) for command in COMMANDS[kind])
    spelling(f"{kind}/{name}", act, twin)


STAMP = "2026-03-16T03:00:00.000Z"
LOCAL = "2026-03-16 11:00:00"
EPOCH = int(datetime.datetime.fromisoformat("2026-03-16T03:00:00+00:00").timestamp())

# ------------------------------------------------------------------------------------------------------------------- shells
told_by("euid-and-who", "web-01", "root", lambda c: f"[euid=root]:lin pts/0 2026-03-16 10:58 (10.0.0.10):[/root]{c}", 13)
told_by("number-and-code", "web-01", "root", lambda c: f"root [4411]: {c} [0]", 183)
told_by("tagged", "web-01", "bash", lambda c: f"root:\t {c}", 141)
told_by("pairs", "web-01", "bash", lambda c: f"user=root,ppid=4410,from=10.0.0.10 50122 22,pwd=/root,command:20260316-110000:{c}", 141)
told_by("address", "web-01", "bash", lambda c: f"root (from 10.0.0.10) [/root]: {c}", 141)


# ------------------------------------------------------------------------------------------------------------------ sensors
def as_json(value):
    return json.dumps(value, separators=(",", ":"))


def auditbeat(command, user="lin"):
    words = command.split()
    return as_json({"@timestamp": STAMP, "agent": {"type": "auditbeat", "ephemeral_id": "5d"}, "auditd": {"data": {"syscall": "execve", "tty": "pts0"}, "message_type": "syscall", "result": "success", "sequence": 7701,
                    "session": "9"}, "event": {"action": "executed", "category": ["process"], "module": "auditd", "outcome": "success", "type": ["start"]}, "host": {"name": "web-01"},
                    "process": {"args": words, "executable": "/usr/bin/" + words[0], "name": words[0], "pid": 4411}, "user": {"audit": {"id": "1001", "name": user}, "id": "0", "name": "root"}})


def osquery(columns, name="pack", action="added"):
    return as_json({"name": name, "hostIdentifier": "web-01", "calendarTime": "Mon Mar 16 03:00:00 2026 UTC", "unixTime": EPOCH, "columns": columns, "action": action})


told_by("auditbeat", "web-01", "logstash", auditbeat)
told_by("osquery", "web-01", "osqueryd", lambda c: osquery({"auid": "1001", "cmdline": c, "euid": "0", "path": "/usr/bin/" + c.split()[0], "pid": "4411", "uid": "0"}))
told_by("osquery-history", "web-01", "osqueryd", lambda c: osquery({"command": c, "history_file": "/root/.bash_history", "uid": "0", "username": "root"}))
told_by("tlog", "web-01", "tlog-rec-session", lambda c: as_json({"ver": "2.3", "host": "web-01", "rec": "7f3a", "user": "lin", "term": "xterm", "session": 9, "id": 4, "pos": 12040, "time": EPOCH, "timing": ">40",
        "in_txt": "", "in_bin": [], "out_txt": f"[root@web-01 ~]# {c}\r\n", "out_bin": []}))
told_by("tetragon", "web-01", "tetragon", lambda c: as_json({"process_exec": {"process": {"exec_id": "bm9k", "pid": 4411, "uid": 0, "cwd": "/root", "binary": "/usr/bin/" + c.split()[0], "arguments": c.split(" ", 1)[1],
        "auid": 1001}}, "node_name": "web-01", "time": STAMP}))


def file_of_auditbeat(path, flags):
    return as_json({"@timestamp": STAMP, "agent": {"type": "auditbeat", "ephemeral_id": "5d"}, "auditd": {"data": {"syscall": "openat", "a2": flags}, "message_type": "syscall", "result": "success", "sequence": 7702,
                    "paths": [{"name": path, "nametype": "NORMAL"}]}, "event": {"action": "opened-file", "module": "auditd", "outcome": "success"}, "file": {"path": path}, "host": {"name": "web-01"},
                    "process": {"name": "bash", "executable": "/usr/bin/bash"}, "user": {"audit": {"id": "1001", "name": "lin"}, "id": "0", "name": "root"}})


for where, path in {"sudoers": "/etc/sudoers", "cron": "/var/spool/cron/root"}.items():
    spelling(f"{where}-written/auditbeat", said(("11:00", "web-01", "logstash", file_of_auditbeat(path, "241"), 134)), said(("11:00", "web-01", "logstash", file_of_auditbeat(path, "80000"), 134)))

spelling("cron-written/osquery", said(("11:00", "web-01", "osqueryd", osquery({"command": "/tmp/.x/run", "minute": "*/5", "path": "/var/spool/cron/root"}, "crontab"), 134)),
         said(("11:00", "web-01", "osqueryd", as_json({"name": "crontab", "hostIdentifier": "web-01", "calendarTime": "x", "unixTime": EPOCH, "snapshot": [{"command": "/usr/bin/true", "minute": "5", "path": "/etc/crontab"}], "action": "snapshot"}), 134)))
spelling("kernel-module/osquery", said(("11:00", "web-01", "osqueryd", osquery({"name": "diamorphine", "size": "16384", "status": "Live", "used_by": "-"}, "kernel_modules"), 134)),
         said(("11:00", "web-01", "osqueryd", osquery({"name": "nf_tables", "size": "16384", "status": "Live", "used_by": "-"}, "kernel_modules", "removed"), 134)))


def falco(priority, rule, command):
    return as_json({"hostname": "web-01", "output": "x", "output_fields": {"container.name": "web", "proc.cmdline": command, "proc.name": command.split()[0], "user.name": "root"}, "priority": priority, "rule": rule,
                    "source": "syscall", "tags": ["container"], "time": STAMP})


spelling("shell-in-a-container/falco", said(("11:00", "web-01", "falco", falco("Notice", "Terminal shell in container", "bash"), 133)), said(("11:00", "web-01", "falco", falco("Informational", "Container started", "nginx"), 134)))
spelling("sensitive-file-read/falco", said(("11:00", "web-01", "falco", "11:00:00.000000000: Warning Sensitive file opened for reading by non-trusted program (file=/etc/shadow user=root process=cat command=cat /etc/shadow container_name=host)", 132)),
         said(("11:00", "web-01", "falco", "Falco initialized with configuration file /etc/falco/falco.yaml", 134)))

# ----------------------------------------------------------------------------------------------------------------- bastions
PERSON, SOURCE, TARGET = "lin", "10.20.1.11", "10.0.1.11"
told_by("aliyun-bastionhost", "bastion-01", "sls", lambda c: as_json({"__topic__": "bastionhost", "content": c, "event_type": "cmd.Command", "instance_id": "b-7f", "resource_address": TARGET + ":22", "resource_name": "web-01",
        "result": "success", "session_id": "7f3a", "user_client_ip": SOURCE, "user_id": "12", "user_name": PERSON, "__time__": EPOCH}))
told_by("tencent-bastion", "bastion-01", "cls", lambda c: as_json({"Sid": "7f3a", "UserName": PERSON, "Account": "root", "InstanceId": "ins-7f3a", "FromIp": SOURCE, "Time": STAMP, "Cmd": c, "Action": 1}))
told_by("nsfocus-osms", "bastion-01", "-", lambda c: f"session_id:198;cmd_time:{EPOCH};cmd:{c};block:0;user:{PERSON};dev_usr:root;dev_ip:{TARGET};protocol:ssh;risk:1")
told_by("topsec-sag", "bastion-01", "-", lambda c: f"issuc=1 commands={c} atime='{LOCAL}' sessionpath=/x seq=00l7 account=root aip={TARGET} asset=web-01 fort_ip=10.0.0.10 protocol=ssh2 remark= res_type=unix session_id=00 uip={SOURCE} uname=L user_id={PERSON}")
told_by("secfox", "bastion-01", "baoleiji", lambda c: f"logType=YAB_CMD_OPS_LOG, time={LOCAL}, user={PERSON}, sourceIP={SOURCE}, resource=web-01, targetIP={TARGET}, command={c}, action=permit")
SAG = f'id="ngtos" time="{LOCAL}" type="mgmt" recorder="{{}}" subtype="x" op="{{}}" user="zhou" src="10.20.1.14" result="1" msg="x" name="svc2"'
spelling("account-of-the-bastion/topsec-sag", said(("11:00", "bastion-01", "-", SAG.format("user", "add"), 134)), said(("11:00", "bastion-01", "-", SAG.format("network", "set"), 134)))
spelling("log-cleared/topsec-sag-audit", said(("11:00", "bastion-01", "-", SAG.format("log", "del"), 134)), said(("11:00", "bastion-01", "-", SAG.format("log", "show"), 134)))


# ---------------------------------------------------------------------------------------------------------------- databases
def rights(name, program, tell):
    act, twin = (said(("11:00", "db-01", program, tell(statement), 134)) for statement in ("GRANT ALL ON *.* TO ma", "SELECT count(*) FROM orders"))
    spelling(f"database-rights/{name}", act, twin)


PERCONA = '<AUDIT_RECORD#012  NAME="Query"#012  RECORD="2_x"#012  TIMESTAMP="2026-03-16T03:00:00 UTC"#012  COMMAND_CLASS="x"#012  CONNECTION_ID="4"#012  STATUS="0"#012  SQLTEXT="{}"#012  USER="ma[ma] @  [10.20.1.18]"#012  HOST=""#012  OS_USER=""#012  IP="10.20.1.18"#012/>'
rights("percona-attributes", "percona-audit", PERCONA.format)
rights("percona-elements", "percona-audit", lambda s: f"<AUDIT_RECORD> <NAME>Query</NAME> <RECORD>2_x</RECORD> <TIMESTAMP>2026-03-16T03:00:00 UTC</TIMESTAMP> <STATUS>0</STATUS> <SQLTEXT>{s}</SQLTEXT> <USER>ma[ma] @  [10.20.1.18]</USER> <IP>10.20.1.18</IP> </AUDIT_RECORD>")
rights("percona-csv", "percona-audit", lambda s: f'"Query","2_x","2026-03-16T03:00:00 UTC","x","4",0,"{s}","ma[ma] @  [10.20.1.18]","","","10.20.1.18","shop"')
rights("clickhouse", "clickhouse-server", lambda s: f"2026.03.16 11:00:00.204101 [ 4711 ] {{7f3a}} <Debug> executeQuery: (from 10.20.1.18:50122, user: ma) {s} (stage: Complete)")
rights("clickhouse-rows", "vector", lambda s: as_json({"type": "QueryFinish", "event_time": "2026-03-16 11:00:00", "query": s, "user": "ma", "query_id": "7f3a", "address": "::ffff:10.20.1.18"}))
UNIFIED = "LENGTH: '204' TYPE:\"4\" DBID:\"39496799\" SESID:\"71204\" CLIENTID:\"\" ENTRYID:\"1\" STMTID:\"9\" DBUSER:\"MA\" CURUSER:\"MA\" ACTION:\"{}\" RETCODE:\"0\" SCHEMA:\"HR\" OBJNAME:\"STAFF\" PDB_GUID:\"7F\""
spelling("database-dropped/oracle-unified", said(("11:00", "db-01", "oracle", UNIFIED.format(12), 133)), said(("11:00", "db-01", "oracle", UNIFIED.format(3), 133)))
for name, program, act, twin in [
    ("monitor", "redis", f'{EPOCH}.204101 [0 10.20.1.18:50122] "FLUSHALL"', f'{EPOCH}.204101 [0 10.20.1.18:50122] "GET" "flushall"'),
    ("slowlog", "filebeat", as_json({"@timestamp": STAMP, "redis": {"slowlog": {"cmd": "CONFIG", "key": "SET", "args": ["dir", "/root/.ssh"], "id": 7}}}),
     as_json({"@timestamp": STAMP, "redis": {"slowlog": {"cmd": "CONFIG", "key": "GET", "args": ["dir"], "id": 8}}})),
]:
    spelling(f"database-dropped/redis-{name}", said(("11:00", "db-01", program, act, 134)), said(("11:00", "db-01", program, twin, 134)))
