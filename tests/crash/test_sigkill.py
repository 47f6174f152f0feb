"""SIGKILL at random moments under load: what the API called committed is there, each record once, no gap in anything."""

import json
import os
import random
import subprocess
import time

from senders import index_of, log_size, wait
from yushi_daemon import BIN, Daemon, yushi

KILLS = int(os.environ.get("YUSHI_KILLS", 20))
CONNECTIONS = 8
MESSAGES = 16_000  # of one round
RATE = 8_000       # so a round lasts two seconds at least, and each kill falls into it
KILL_AFTER_SECONDS = 1.2

BODIES = [
    "sshd 811 - - Failed password for root from 10.1.{a}.{b} port 4{b} ssh2",
    "sshd 812 - - Accepted publickey for deploy from 10.1.{a}.{b} port 5{b} ssh2: RSA SHA256:Kx0g3v",
    'nginx 7 - - 10.2.{a}.{b} - - [01/Nov/2026:08:00:00 +0000] "GET /item/{a}{b} HTTP/1.1" 200 {a}{b} "-" "curl/7.88"',
    "kernel - - - [ {a}.{b}] IN=eth0 OUT= SRC=10.3.{a}.{b} DST=10.0.0.1 LEN=60 PROTO=TCP SPT=4{b} DPT=22",
    "app {b} - - a line that no parser knows, {a} and {b}",
]


def write_round(path, number):
    """A message a line; gives which of them go over each connection: flood deals a file out in pieces of 64 KiB."""
    dice = random.Random(number)
    lanes, lane, piece_bytes = [[] for _ in range(CONNECTIONS)], 0, 0
    with open(path, "w") as out:
        for i in range(MESSAGES):
            body = dice.choice(BODIES).format(a=dice.randrange(256), b=dice.randrange(10, 256))
            line = f"<86>1 2026-11-01T08:00:{i % 60:02}.{i:06}Z host{i % 7} {body} tag-{number}-{i}\n"
            out.write(line)
            lanes[lane].append(i)
            piece_bytes += len(line)
            if piece_bytes > 64 << 10:
                lane, piece_bytes = (lane + 1) % CONNECTIONS, 0
    return lanes


def tag_of(record):
    number, i = record["event"]["original"].rsplit(" tag-", 1)[1].split("-")
    return int(number), int(i)


def check_round(records, number, lanes, first, size):
    """The records of one round are the indexes from `first` to `size`, and of each connection what it sent first."""
    records.sort(key=index_of)
    assert [index_of(record) for record in records] == list(range(first, size)), "ids have a gap or a double"
    tags = [tag_of(record) for record in records]
    assert {n for n, _ in tags} <= {number}
    # flood's connections come from addresses of their own, so a connection is a source.
    for lane, sent in enumerate(lanes):
        got = [i for record, (_, i) in zip(records, tags) if record["log"]["source"]["address"] == f"127.0.{1 + lane}.1"]
        assert got == sent[:len(got)], f"connection {lane} has a hole"


def booked_per_source(daemon):
    """What all minutes of the ledger together say was committed of each source."""
    booked = {}
    told = yushi("search", "event.action: ledger-sources", "--tenant", "_audit", "--store", daemon.data, "-o", "json",
                 state=daemon.state)
    for record in told.objects:
        for row in json.loads(record["event"]["original"])["yushi"]["ledger"]["sources"]:
            booked[row["source"]] = booked.get(row["source"], 0) + row["committed"]
    return {source: committed for source, committed in booked.items() if committed}


def test_twenty_kills_under_load_lose_nothing_that_was_committed(tmp_path, shows_loss):
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # pytest shows it when the test fails
    dice = random.Random(seed)
    size, per_source, killed_midway = 0, {}, 0
    corpus = tmp_path / "corpus.log"
    with Daemon(tmp_path / "d") as daemon:
        for number in range(KILLS):
            lanes = write_round(corpus, number)
            flood = subprocess.Popen(
                [BIN / "flood", "--port", str(daemon.port("tcp")), "--file", corpus, "--connections", str(CONNECTIONS),
                 "--tenants", str(CONNECTIONS), "--rate", str(RATE)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if number % 2:
                wait(lambda: log_size(daemon) > size, "for the first record of the round")
            until = time.monotonic() + dice.uniform(0, KILL_AFTER_SECONDS)
            seen = log_size(daemon)
            while time.monotonic() < until:
                seen = max(seen, log_size(daemon))
                time.sleep(0.005)
            killed_midway += flood.poll() is None
            daemon.kill()
            flood.wait()

            daemon.start()
            after = log_size(daemon)
            assert after >= seen, f"the API had said {seen} committed; after the kill there are {after}"
            if after > size:
                records = daemon.search(f"event.original: \"tag-{number}\"")
                check_round(records, number, lanes, size, after)
                for record in records:
                    source = record["log"]["source"]["address"]
                    per_source[source] = per_source.get(source, 0) + 1
            else:
                assert after == size
            size = after
        assert killed_midway >= KILLS // 2, f"only {killed_midway} kills fell into a load; raise MESSAGES"
        assert size > 0

        # A number for each record of a source and none without a record: the next number is their count.
        said = {s["source"]: s["records"] for s in daemon.yushi("sources", "-o", "json").objects}
        assert said == per_source

        proved = daemon.yushi("verify")
        assert proved.code in (0, 1), proved.text + proved.err
        assert daemon.stop() == 0

    everything = yushi("search", "*", "--store", daemon.data, state=daemon.state)
    assert everything.code == 0, everything.err
    assert len(everything.lines) == size
    assert len(set(everything.lines)) == size, "a message stands twice"
    proved = yushi("verify", "--store", daemon.data, "-o", "json", state=daemon.state)
    assert proved.code == 0, proved.text + proved.err
    end = json.loads(proved.lines[-1])["yushi.end"]
    assert end["complete"] and end["records"] >= size
    assert booked_per_source(daemon) == per_source, "the ledger's minutes do not add up to what is in the log"
    shows_loss("tcp-committed")


def test_a_new_store_opens_whatever_moment_of_its_first_commits_the_kill_met(tmp_path):
    dice = random.Random(7)
    for number in range(15):
        with Daemon(tmp_path / f"d{number}") as daemon:
            daemon.send_tcp([b"<13>1 - host app - - - the first"])
            wait(lambda: log_size(daemon) == 1, "for the first record")
            time.sleep(dice.choice([0, 0, 0.005, 0.02]))  # its first checkpoint is being signed and written
            daemon.kill()
            daemon.start()
            assert log_size(daemon) == 1
            assert daemon.stop() == 0
        assert yushi("verify", "--store", daemon.data, state=daemon.state).code == 0
