"""What the site's lists tell apart, each act beside its twin; and what rests on an account's state or a ticket, which needs no list."""

import json

from acts import BEHAVIOURS, by_sudo, logins, seconds
from world import BASTION, BASTION_IP

# The lists of the site that world.py simulates.
LISTS = """detect:
  lists:
    bastions: [bastion-01, 10.0.0.10]
    leavers: [{account: yang, since: 2026-03-10}]
    service_accounts: [ansible 10.0.1.51, {account: backup, from: 10.0.1.51, hosts: db-01}]
    admins: [lin, chen, wu, zhou, sun, he, guo, ma]
    provider_staff: ['cloudops*']
    peer_groups: [wu app, chen app, sun app]
    change_windows: [{days: Mon-Fri, hours: '08:00-20:00'}]
    networks: [10.20.0.0/16 Beijing 39.9 116.4, 198.51.100.0/24 Guangzhou 23.1 113.3]
    deny_addresses: [203.0.113.66]
    deny_commands: ['*/tcpdump*']
"""

LISTED = {}  # as BEHAVIOURS


def cloud(action, who):
    def act(world):
        when = world.at("11:00")
        event = {"eventTime": when.isoformat(), "eventName": action, "eventSource": "ecs.aliyuncs.com", "acsRegion": "cn-hangzhou", "serviceName": "Ecs",
                 "sourceIpAddress": "10.20.1.60", "userIdentity": {"type": "ram-user", "userName": who, "accountId": "11900"}, "requestParameters": {"InstanceId": "i-77"}}
        world.say(when, "cloud-01", "actiontrail", json.dumps(event), 134)
    return act


LISTED["leaver"] = (logins(("11:00", "yang", BASTION, "10.20.1.30")), logins(("11:00", "lin", BASTION, "10.20.1.11")), None)
LISTED["service-account-from-elsewhere"] = (logins(("11:00", "ansible", "web-02", BASTION_IP)), logins(("02:30", "ansible", "web-02", "10.0.1.51")), None)
LISTED["service-account-by-password"] = (logins(("03:00", "backup", "db-01", "10.0.1.51", "password")), logins(("03:00", "backup", "db-01", "10.0.1.51")), None)
LISTED["round-the-bastion"] = (logins(("11:00", "guo", "log-01", "10.20.1.17")), logins(("11:00", "guo", "log-01", BASTION_IP)), None)
LISTED["direct-root"] = (logins(("11:00", "root", "log-01", BASTION_IP)), by_sudo("guo", "log-01", "/usr/bin/id"), None)
LISTED["root-without-being-an-administrator"] = (by_sudo("intern", "app-01", "/usr/bin/id"), by_sudo("sun", "app-01", "/usr/bin/id"), None)
LISTED["outside-the-window"] = (by_sudo("he", "app-01", "/usr/bin/systemctl restart php-fpm", clock="22:30"), by_sudo("he", "app-01", "/usr/bin/systemctl restart php-fpm"), None)
LISTED["first-host-that-no-peer-uses"] = (logins(("11:00", "wu", "ldap-01", BASTION_IP)), logins(("11:00", "wu", "app-01", BASTION_IP)), None)
LISTED["impossible-travel"] = (logins(("11:00", "lin", BASTION, "10.20.1.11"), ("11:40", "lin", BASTION, "198.51.100.9")), logins(("11:00", "lin", BASTION, "10.20.1.11"), ("11:40", "lin", BASTION, "10.20.1.11")), None)
LISTED["provider-deletes-a-machine"] = (cloud("DeleteInstance", "cloudops7"), cloud("DescribeInstances", "cloudops7"), None)
LISTED["provider-exports-a-snapshot"] = (cloud("ExportSnapshot", "cloudops7"), cloud("DescribeSnapshots", "cloudops7"), None)
LISTED["provider-opens-a-console"] = (cloud("DescribeInstanceVncUrl", "cloudops7"), cloud("DescribeInstanceStatus", "cloudops7"), None)
LISTED["denied-address"] = (lambda world: world.failed(world.at("11:00"), "he", BASTION, "203.0.113.66"), lambda world: world.failed(world.at("11:00"), "he", BASTION, "10.20.1.16"), None)
LISTED["denied-command"] = (by_sudo("sun", "app-01", "/usr/sbin/tcpdump -i any"), by_sudo("sun", "app-01", "/usr/bin/ss -lntp"), None)


def disabled(*commands):
    def act(world):
        at = world.at("14:20")
        for command in commands:
            world.sudo(at, "zhou", "ldap-01", command)
            at += seconds(60)
        world.login(world.at("16:00"), "guo", BASTION, "10.20.1.17")
    return act


def ticket(approver):
    def act(world):
        when = world.at("10:00")
        world.say(when, "itsm-01", "itsm", json.dumps({"id": "CHG-1042", "requester": "lin", "approver": approver, "account": "lin", "hosts": ["web-01"],
                                                       "from": when.isoformat(), "until": world.at("12:00").isoformat(), "status": "approved"}), 134)
    return act


BEHAVIOURS["disabled-account-used"] = (disabled("/usr/sbin/usermod -L guo"), disabled("/usr/sbin/usermod -L guo", "/usr/sbin/usermod -U guo"), None)
BEHAVIOURS["person-at-a-service-account"] = (logins(("03:02", "backup", "db-01", "10.0.1.51", "password")), logins(("03:02", "backup", "db-01", "10.0.1.51")), None)
BEHAVIOURS["self-approval"] = (ticket("lin"), ticket("zhou"), None)
