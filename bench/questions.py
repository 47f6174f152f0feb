"""What auditors ask, and how long each answer takes (bench/compare --questions).

Each store is filled with the same messages, and its daemon started anew, so that all is as it is at rest. Cold: the
files are dropped from the page cache and the daemon is started anew before the question; its start does not count.
Warm: asked again. What a question costs is told as its asker sees it: `yushi search`, a process; or an HTTP request.
"""

import argparse
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request

from daemons import NEEDLE, VictoriaLogs, Yushid, drop_from_page_cache, flood, stop_and_reap, wait_committed

FIRST_HOST = "* | stats count() by host.name | head 1"
FIRST_HOUR = "* | stats count() by bin(@timestamp, 1h) | head 1"


def questions(host, hour):
    """Name, arguments of `yushi search`, LogsQL."""
    of_host, end = f'host.name: "{host}"', hour.replace(":00:00", ":59:59")
    return [
        ("a needle", [NEEDLE], NEEDLE),
        ("one host, one hour", [of_host, "--since", hour, "--until", end], f'hostname:="{host}" _time:[{hour}, {end}]'),
        ("last 100 of a host", [of_host, "-n", "100"], f'hostname:="{host}" | sort by (_time desc) limit 100'),
        ("all of a host", [of_host], f'hostname:="{host}"'),
        ("regex over all", ["message ~ /session (opened|closed) for user r[a-z]*t/"],
         '_msg:~"session (opened|closed) for user r[a-z]*t"'),
        ("substring in a token", ["*ssword*"], '_msg:~"ssword"'),
        ("count by host", ["* | stats count() by host.name"], "* | stats by (hostname) count() n"),
        ("count by hour", ["* | stats count() by bin(@timestamp, 1h)"], "* | stats by (_time:1h) count() n"),
        ("failures of a user by address", ["event.outcome: failure and user.name: root | stats count() by source.ip"],
         """"Access denied for user" "'root'@" | extract "user 'root'@'<ip>'" from _msg | stats by (ip) count() n"""),
    ]


def as_yushid(daemon, question):
    answer = subprocess.run(daemon.cli("search", *question[1]), capture_output=True, env=daemon.environment())
    if answer.returncode > 1:
        raise RuntimeError(answer.stderr.decode())
    return answer.stdout


def as_victorialogs(daemon, question):
    url = f"http://127.0.0.1:{daemon.http}/select/logsql/query?query=" + urllib.request.quote(question[2])
    with urllib.request.urlopen(url, timeout=300) as answer:
        return answer.read()


class Store:
    def __init__(self, kind, ask, options, programs=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="questions-", dir=options.folder))
        options = argparse.Namespace(**{**vars(options), "bin": programs or options.bin})
        self.daemon, self.asks = kind(self.folder, options), ask

    def fill(self, options):
        self.daemon.spawn()
        flood(options, self.daemon.port)
        have, _ = wait_committed(self.daemon, options)
        if have < options.count:
            raise RuntimeError(f"{self.daemon.name} has {have} of {options.count} messages")
        self.restart()

    def restart(self, cold=False):
        stop_and_reap(self.daemon)
        if cold:
            drop_from_page_cache(self.daemon.data)
        self.daemon.spawn()

    def ask(self, question, cold=False):
        if cold:
            self.restart(cold=True)
        began = time.monotonic()
        answer = self.asks(self.daemon, question)
        return time.monotonic() - began, answer.count(b"\n")

    def end(self, keep):
        self.daemon.end()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def first(store, text):
    answer = subprocess.run(store.daemon.cli("search", text, "-o", "csv"), capture_output=True, text=True, check=True,
                            env=store.daemon.environment())
    return answer.stdout.splitlines()[1].split(",")[0]


def compare(options):
    stores = [Store(Yushid, as_yushid, options)]
    if options.against:
        stores.append(Store(Yushid, as_yushid, options, options.against.resolve()))
    elif options.victorialogs:
        stores.append(Store(VictoriaLogs, as_victorialogs, options))
    try:
        for store in stores:
            store.fill(options)
        host, hour = first(stores[0], FIRST_HOST), first(stores[0], FIRST_HOUR).replace(".000Z", "Z")
        other = "the other build" if options.against else "VictoriaLogs"
        print(f"questions of {host} and {hour}; medians of {options.runs}" +
              (f"; then those of {other}, and ours to its" if len(stores) > 1 else ""))
        print(f"{'':32}" + f"{'rows':>9}{'cold s':>9}{'warm s':>9}" * len(stores) + ("   cold  warm" if len(stores) > 1 else ""))
        for question in questions(host, hour):
            line, took = f"{question[0]:32}", []
            for store in stores:
                rounds = [(store.ask(question, cold=True), store.ask(question)) for _ in range(options.runs)]
                took.append([statistics.median(one[k][0] for one in rounds) for k in (0, 1)])
                line += f"{rounds[0][1][1]:9,}{took[-1][0]:9.3f}{took[-1][1]:9.3f}"
            if len(stores) > 1:
                line += "".join(f"{ours / theirs:6.2f}" for ours, theirs in zip(*took))
            print(line, flush=True)
    finally:
        for store in stores:
            store.end(options.keep)
    return 0
