"""A small site and what its administrators do all day, as the logs that their machines send: ssh through a bastion, sudo, the
kernel's audit, accounts, services, jobs, databases. Each world of one seed is the same."""

import datetime
import random

ZONE = datetime.timezone(datetime.timedelta(hours=8))
FIRST_DAY = datetime.datetime(2026, 3, 2, tzinfo=ZONE)  # a Monday
DAYS = 14  # ordinary ones; what is to be judged happens on the day after them

BASTION, BASTION_IP = "bastion-01", "10.0.0.10"
HOSTS = {"web-01": "10.0.1.11", "web-02": "10.0.1.12", "app-01": "10.0.1.21", "db-01": "10.0.1.31", "ldap-01": "10.0.1.41",
         "log-01": "10.0.1.51", BASTION: BASTION_IP}
# Of the administrators: user number, desk, hosts. lin works from a root shell at times; zhou makes accounts by office.
ADMINS = {
    "lin": (1001, "10.20.1.11", ["web-01", "web-02"]),
    "chen": (1002, "10.20.1.12", ["web-01", "app-01"]),
    "wu": (1003, "10.20.1.13", ["db-01"]),
    "zhou": (1004, "10.20.1.14", ["ldap-01"]),
    "sun": (1005, "10.20.1.15", ["app-01", "web-02"]),
    "he": (1006, "10.20.1.16", ["web-01", "web-02", "app-01"]),
    "guo": (1007, "10.20.1.17", ["log-01"]),
    "ma": (1008, "10.20.1.18", ["db-01", "app-01"]),
}
SERVICES = {"ansible": (990, "10.0.1.51"), "backup": (989, "10.0.1.51")}  # by key, at night
UIDS = {name: uid for name, (uid, *_) in {**ADMINS, **SERVICES}.items()}

# What is typed on an ordinary day, through sudo.
COMMANDS = [
    "/usr/bin/systemctl status nginx", "/usr/bin/systemctl reload nginx", "/usr/bin/tail -n 200 /var/log/nginx/error.log",
    "/usr/bin/journalctl -u nginx -n 50", "/usr/bin/df -h", "/usr/bin/ss -lntp", "/usr/bin/vim /etc/nginx/conf.d/site.conf",
    "/usr/sbin/nginx -t", "/usr/bin/apt update", "/usr/bin/apt list --upgradable", "/usr/bin/ls -la /var/www", "/usr/bin/du -sh /var/log",
    "/usr/bin/systemctl restart php-fpm", "/usr/bin/cat /etc/hosts", "/usr/bin/docker ps", "/usr/bin/docker logs web --tail 20",
]


def quoted(text):
    """An argument as auditd writes it: in hex where it has a blank or a quote."""
    return text.encode().hex().upper() if set(text) & set(' "\x7f') or not text.isascii() else f'"{text}"'


class World:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines = []  # (time, line)
        self.serial = 1000
        self.sessions = 10
        self.pid = 5000
        for day in range(DAYS):
            self.ordinary_day(FIRST_DAY + datetime.timedelta(days=day))

    @staticmethod
    def at(clock, day=DAYS):
        """A time of that day, the one after the ordinary days unless told."""
        hour, minute = map(int, clock.split(":"))
        return FIRST_DAY + datetime.timedelta(days=day, hours=hour, minutes=minute)

    # ------------------------------------------------------------------------------------------------- what machines write

    def say(self, when, host, program, message, priority=86, pid=None):
        pid = "-" if pid is None else pid
        self.lines.append((when, f"<{priority}>1 {when.isoformat(timespec='milliseconds')} {host} {program} {pid} - - {message}"))

    def later(self, when, least=1, most=20):
        return when + datetime.timedelta(seconds=self.random.randint(least, most), milliseconds=self.random.randint(0, 999))

    def audit(self, when, host, *records):
        self.serial += 1
        for kind, rest in records:
            self.say(when, host, "audisp-syslog", f"type={kind} msg=audit({when.timestamp():.3f}:{self.serial}): {rest}", 13)

    def login(self, when, who, host, source, method="publickey"):
        """sshd's and the audit system's words; the number of the session."""
        self.pid += 7
        self.sessions += 1
        uid = UIDS.get(who, 0)
        key = ": ED25519 SHA256:m1" if method == "publickey" else ""
        self.say(when, host, "sshd", f"Accepted {method} for {who} from {source} port {self.random.randint(30000, 60000)} ssh2{key}", pid=self.pid)
        self.say(when, host, "sshd", f"pam_unix(sshd:session): session opened for user {who}(uid={uid}) by (uid=0)", pid=self.pid)
        self.audit(when, host, ("USER_START", f"pid={self.pid} uid=0 auid={uid} ses={self.sessions} msg='op=PAM:session_open "
                                f"grantors=pam_loginuid,pam_unix acct=\"{who}\" exe=\"/usr/sbin/sshd\" hostname={source} addr={source} terminal=ssh res=success'"))
        return self.sessions

    def failed(self, when, who, host, source, known=True):
        self.pid += 1
        self.say(when, host, "sshd", f"Failed password for {'' if known else 'invalid user '}{who} from {source} port 40122 ssh2", pid=self.pid)

    def logout(self, when, who, host, session):
        self.say(when, host, "sshd", f"pam_unix(sshd:session): session closed for user {who}", pid=self.pid)
        self.audit(when, host, ("USER_END", f"pid={self.pid} uid=0 auid={UIDS.get(who, 0)} ses={session} msg='op=PAM:session_close "
                                f"grantors=pam_unix acct=\"{who}\" exe=\"/usr/sbin/sshd\" hostname=? addr=? terminal=ssh res=success'"))

    def run(self, when, who, host, argv, uid=0, session=99, success=True, paths=(), executable=None):
        """A command, as the audit system tells it; `who` is who logged in."""
        argv = argv.split() if isinstance(argv, str) else argv
        self.pid += 3
        executable = executable or argv[0]
        name = executable.rsplit("/", 1)[-1]
        arguments = " ".join(f"a{i}={quoted(a)}" for i, a in enumerate([name, *argv[1:]]))
        records = [
            ("SYSCALL", f"arch=c000003e syscall=59 success={'yes' if success else 'no'} exit=0 a0=55d a1=55e a2=55f a3=8 items=2 ppid={self.pid - 2} "
             f"pid={self.pid} auid={UIDS.get(who, 0)} uid={uid} gid={uid} euid={uid} suid={uid} fsuid={uid} egid={uid} sgid={uid} fsgid={uid} tty=pts0 "
             f"ses={session} comm={quoted(name[:15])} exe={quoted(executable)} key=\"commands\""),
            ("EXECVE", f"argc={len(argv)} {arguments}"),
            ("CWD", 'cwd="/root"'),
        ]
        records += [("PATH", f"item={i} name={quoted(path)} inode=77 dev=fd:01 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL")
                    for i, path in enumerate([executable, *paths])]
        records += [("PROCTITLE", "proctitle=" + "\0".join([name, *argv[1:]]).encode().hex().upper()), ("EOE", "")]
        self.audit(when, host, *records)

    def sudo(self, when, who, host, command, session=99, as_whom="root"):
        self.pid += 2
        self.say(when, host, "sudo", f"{who} : TTY=pts/0 ; PWD=/home/{who} ; USER={as_whom} ; COMMAND={command}", 85)
        self.run(when, who, host, command, 0 if as_whom == "root" else 27, session)

    def root_shell(self, when, who, host, session=99):
        self.say(when, host, "sudo", f"{who} : TTY=pts/0 ; PWD=/home/{who} ; USER=root ; COMMAND=/bin/bash", 85)
        self.run(when, who, host, "/bin/bash", 0, session)

    def kernel_write(self, when, who, host, path, executable="/usr/bin/vim", key="config"):
        """A watched file was written (`-w PATH -p wa`), by whatever program."""
        self.pid += 1
        self.audit(when, host, ("SYSCALL", f"arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=7ff a2=241 a3=1b6 items=2 ppid={self.pid - 1} pid={self.pid} "
                                f"auid={UIDS.get(who, 0)} uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=99 "
                                f"comm={quoted(executable.rsplit('/', 1)[-1])} exe={quoted(executable)} key=\"{key}\""),
                   ("CWD", 'cwd="/root"'), ("PATH", f"item=0 name={quoted(path)} inode=78 dev=fd:01 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL"), ("EOE", ""))

    def mysql(self, when, who, host, statement, source="10.20.1.13"):
        """MariaDB's audit plugin, as it writes to syslog."""
        quoted_statement = statement.replace("'", "\\'")
        self.say(when, host, "mysql-server_auditing", f" {host},{who},{source},42,815,QUERY,shop,'{quoted_statement}',0", 134)

    def kubernetes(self, when, who, verb, resource, namespace, name, subresource="", body=None, source="10.20.1.11"):
        import json
        stamp = when.astimezone(datetime.timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
        uri = f"/api/v1/namespaces/{namespace}/{resource}/{name}" + (f"/{subresource}" if subresource else "")
        event = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse" if body else "Metadata", "auditID": f"0{self.serial:07d}-0000-4000-8000-000000000000",
                 "stage": "ResponseComplete", "requestURI": uri, "verb": verb, "user": {"username": who, "groups": ["system:authenticated"]},
                 "sourceIPs": [source], "userAgent": "kubectl/v1.29.1",
                 "objectRef": {"resource": resource, "namespace": namespace, "name": name, "apiVersion": "v1", **({"subresource": subresource} if subresource else {})},
                 "responseStatus": {"metadata": {}, "code": 201 if verb == "create" else 200}, "requestReceivedTimestamp": stamp, "stageTimestamp": stamp,
                 **({"requestObject": body} if body else {})}
        self.serial += 1
        self.say(when, "k8s-master-01", "kube-apiserver", json.dumps(event, separators=(",", ":")), 134)

    def postgres(self, when, who, host, table):
        """pgaudit's word of a table that is copied out."""
        stamp = when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S.000 UTC")
        self.say(when, host, "postgres", f"{stamp} [8888] {BASTION_IP} {who}@fin LOG:  AUDIT: SESSION,4,1,READ,COPY,TABLE,{table},COPY {table} TO stdout;,<not logged>", 134)

    def vcenter(self, when, who, event, centre, text):
        stamp = when.astimezone(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.serial += 1
        self.say(when, "vc-01", "vpxd", f"Event [{self.serial}] [1-1] [{stamp}] [vim.event.{event}] [info] [VSPHERE.LOCAL\\{who}] [{centre}] [{self.serial}] [{text}]", 14)

    def nova(self, when, who, path):
        self.say(when, "ctl-01", "nova-api", f"{when:%Y-%m-%d %H:%M:%S}.000 2931 INFO nova.osapi_compute.wsgi.server [req-7f7a1c22-4b1e-4f0e-9a53-2f6c9c1d7777 {who} p1 - default default] "
                 f"{BASTION_IP} \"POST /v2.1/p1{path} HTTP/1.1\" status: 202 len: 285 time: 0.2", 134)

    def through_the_bastion(self, when, who, host):
        """A session that JumpServer opens on a host, as root."""
        self.serial += 1
        self.say(when, BASTION, "jumpserver", f'host_session_log - {{"id": "{self.serial}", "user": "{who.title()}({who})", "asset": "{host}({HOSTS[host]})", "account": "root", "protocol": "ssh", '
                 f'"remote_addr": "{ADMINS[who][1]}", "is_success": true, "is_finished": false, "date_start": "{when:%Y/%m/%d %H:%M:%S} +0800"}}', 134)

    # ------------------------------------------------------------------------------------------------------ ordinary days

    def work(self, when, who, host=None, commands=None, source=None):
        """From the desk over the bastion to a host, some commands, and out; the time of the end."""
        uid, desk, hosts = ADMINS[who]
        host = host or self.random.choice(hosts)
        self.login(when, who, BASTION, source or desk)
        when = self.later(when, 5, 40)
        session = self.login(when, who, host, BASTION_IP)
        for command in commands or self.random.sample(COMMANDS, self.random.randint(2, 6)):
            when = self.later(when, 10, 240)
            self.sudo(when, who, host, command, session)
        when = self.later(when, 10, 240)
        self.logout(when, who, host, session)
        return when

    def ordinary_day(self, day):
        at = lambda hour, minute=0: day + datetime.timedelta(hours=hour, minutes=minute, seconds=self.random.randint(0, 59))
        for host in HOSTS:  # configuration management writes sudoers and a job each night; logs are rotated
            session = self.login(at(2, 10), "ansible", host, SERVICES["ansible"][1])
            self.sudo(at(2, 11), "ansible", host, "/usr/bin/tee /etc/sudoers.d/ops", session)
            self.kernel_write(at(2, 11), "ansible", host, "/etc/sudoers.d/ops", "/usr/bin/tee", "privileges")
            self.sudo(at(2, 12), "ansible", host, "/usr/bin/install -m 644 /tmp/ops /etc/cron.d/ops", session)
            self.sudo(at(2, 13), "ansible", host, "/usr/bin/systemctl restart rsyslog", session)
            self.logout(at(2, 14), "ansible", host, session)
            self.say(at(0, 0), host, "systemd", "Starting logrotate.service - Rotate log files...", 30, 1)
            self.say(at(0, 0), host, "rsyslogd", '[origin software="rsyslogd" swVersion="8.2302.0" x-pid="701" x-info="https://www.rsyslog.com"] rsyslogd was HUPed', 46)
            for hour in range(24):
                self.say(at(hour, 17), host, "CRON", "(root) CMD (   cd / && run-parts --report /etc/cron.hourly)", 78, 900 + hour)
                self.say(at(hour, 17), host, "CRON", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)", 86, 900 + hour)
        session = self.login(at(3), "backup", "db-01", SERVICES["backup"][1])
        self.sudo(at(3, 1), "backup", "db-01", "/usr/bin/mysqldump --single-transaction shop", session)
        self.logout(at(3, 9), "backup", "db-01", session)
        if day.weekday() >= 5:
            return
        for who in ADMINS:
            for _ in range(self.random.randint(1, 3)):
                self.work(at(self.random.randint(9, 17), self.random.randint(0, 50)), who)
        session = self.login(at(10, 5), "lin", "web-01", BASTION_IP)
        self.root_shell(at(10, 6), "lin", "web-01", session)
        self.run(at(10, 7), "lin", "web-01", "/usr/bin/systemctl status nginx", 0, session)
        self.logout(at(10, 30), "lin", "web-01", session)
        name = f"u{day:%m%d}"
        session = self.login(at(14), "zhou", "ldap-01", BASTION_IP)
        self.sudo(at(14, 1), "zhou", "ldap-01", f"/usr/sbin/useradd -m {name}", session)
        self.say(at(14, 1), "ldap-01", "useradd", f"new user: name={name}, UID={2000 + day.day}, GID={2000 + day.day}, home=/home/{name}, shell=/bin/bash, from=/dev/pts/0", 86, 4411)
        self.sudo(at(14, 2), "zhou", "ldap-01", f"/usr/bin/passwd {name}", session)
        self.say(at(14, 2), "ldap-01", "passwd", f"pam_unix(passwd:chauthtok): password changed for {name}", 85, 4412)
        self.logout(at(14, 5), "zhou", "ldap-01", session)
        self.mysql(at(15), "wu", "db-01", "GRANT SELECT ON shop.orders TO 'report'@'10.0.1.%'")
        if day.weekday() in (1, 3):
            self.postgres(at(15, 10), "ma", "db-01", "public.report")
        self.vcenter(at(15, 20), "wu", "TaskEvent", "DC-Gov", "Task: Create virtual machine snapshot")
        self.vcenter(at(15, 30), "wu", "VmRemovedEvent", "DC-Test", f"Removed test-{day.day} on esx-02 from DC-Test")
        self.nova(at(15, 40), "ma", f"/servers/{self.serial:08x}/action")
        self.through_the_bastion(at(16), "sun", "app-01")

    def text(self):
        return [line for _, line in sorted(self.lines, key=lambda pair: pair[0])]
