#!/usr/bin/env python3
"""Which behaviours are told, and which of their twins alarm: a tenant for each, its two ordinary weeks, then the day.

usage: tests/behaviours/score.py [-v] [BEHAVIOUR...]     with YUSHI_BIN as for the other tests
An alert counts from the day of the act on; what an ordinary day raises by itself is asked of a tenant of its own.
"""

import collections
import copy
import datetime
import pathlib
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "e2e")]
from acts import BEHAVIOURS  # noqa: E402
from listed import LISTED, LISTS  # noqa: E402
import spellings  # noqa: E402, F401
import tellers  # noqa: E402, F401
from world import World  # noqa: E402
from yushi_daemon import Daemon  # noqa: E402


def cases(wanted, behaviours):
    """(behaviour, which, lines)"""
    plain = World(1)
    plain.ordinary_day(World.at("00:00"))
    yield "", "ordinary", plain.text()

    def same_world():
        world = copy.copy(plain)
        world.lines, world.random = list(plain.lines), copy.deepcopy(plain.random)
        return world

    for name, ways in behaviours.items():
        if wanted and name not in wanted:
            continue
        for which, way in zip(("act", "twin", "root"), ways):
            if way is None:
                continue
            world = same_world()
            way(world)
            yield name, which, world.text()


def address(n):
    """Of the n-th tenant."""
    return f"127.{1 + n // 200}.{n % 200}.1"


def alerts_of(folder, some_cases, config):
    """The alerts of each, by its tenant's name, and how many records there were."""
    tenants = "".join(f'  - {{name: t{n}, match: {{cidr: ["{address(n)}/32"]}}, timezone: Asia/Shanghai}}\n' for n in range(len(some_cases)))
    with Daemon(folder, f"{config}tenants:\n{tenants}") as daemon:
        sent = 0
        for n, (_, _, lines) in enumerate(some_cases):
            daemon.send_tcp(lines, address(n))
            sent += len(lines)
        while sum(int(row["count()"]) for row in daemon.yushi("search", "* | stats count()", "-o", "json").objects) < sent:
            time.sleep(0.5)
        time.sleep(3)  # what is still being joined
        by_tenant = collections.defaultdict(list)
        for alert in daemon.yushi("alerts", "list", "-n", "1000000", "-o", "json").objects:
            by_tenant[alert["organization"]["name"]].append(alert)
    return by_tenant, sent


# Of one daemon: all that it remembers has one bound, which more tenants than these fill.
TENANTS_MAX = 200


def told(folder, wanted=(), behaviours=BEHAVIOURS, config=""):
    """(behaviour, which) -> the alerts of the day that an ordinary one does not raise."""
    all_cases = list(cases(wanted, behaviours))
    day = World.at("00:00").timestamp()
    out, usual, sent = {}, set(), 0
    for first in range(0, len(all_cases), TENANTS_MAX):
        some = all_cases[first : first + TENANTS_MAX]
        by_tenant, of_these = alerts_of(folder.with_name(f"{folder.name}{first}"), some, config)
        sent += of_these
        for n, (name, which, _) in enumerate(some):
            alerts = by_tenant[f"t{n}"]
            if which == "ordinary":
                usual = {(a["rule"]["name"], a["yushi"]["alert"].get("key")) for a in alerts if time_of(a) >= day}
                out[name, which] = alerts
                continue
            out[name, which] = [a for a in alerts if time_of(a) >= day and (a["rule"]["name"], a["yushi"]["alert"].get("key")) not in usual]
    return out, sent


def time_of(alert):
    return datetime.datetime.fromisoformat(alert["@timestamp"].replace("Z", "+00:00")).timestamp()


def main():
    verbose = "-v" in sys.argv
    wanted = [a for a in sys.argv[1:] if not a.startswith("-")]
    for behaviours, config, title in ((BEHAVIOURS, "", "without lists"), (LISTED, LISTS, "with the site's lists")):
        with tempfile.TemporaryDirectory() as folder:
            print(f"-- {title}")
            print_score(told(pathlib.Path(folder) / "d", wanted, behaviours, config)[0], verbose)


def print_score(answers, verbose):
    ordinary = answers.pop(("", "ordinary"))
    caught = collections.Counter()
    of = collections.Counter()
    for (name, which), alerts in answers.items():
        of[which] += 1
        caught[which] += bool(alerts)
        good = bool(alerts) == (which != "twin")
        if verbose or not good:
            print(f"{'    ' if good else 'NOT '}{name:32} {which:5} " + ("; ".join(f"[{a['log']['level'] if 'log' in a and 'level' in a['log'] else ''}] {a['rule']['name']}: {a['yushi']['alert']['reason'][:150]}" for a in alerts[:3]) or "-"))
    print(f"an ordinary world raises {len(ordinary)} in 15 days:")
    for (rule, learning), count in collections.Counter((a["rule"]["name"], a["yushi"]["alert"].get("learning", False)) for a in ordinary).most_common():
        print(f"    {count:4} {rule}{' (learning)' if learning else ''}")
    print(f"behaviours told {caught['act']} of {of['act']}, from a root shell {caught['root']} of {of['root']}, twins that alarm {caught['twin']} of {of['twin']}")


if __name__ == "__main__":
    main()
