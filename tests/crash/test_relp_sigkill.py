"""SIGKILL under RELP's load: every message that was acknowledged is there, and those that came twice are few and told."""

import collections
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from test_relp import RELP, Client
from yushi_daemon import Daemon, yushi

KILLS = int(os.environ.get("YUSHI_RELP_KILLS", 10))
SENDERS, WINDOW, KILL_AFTER_SECONDS = 4, 128, 0.6


class Sender(threading.Thread):
    """Numbers its messages, keeps what was not acknowledged, and gives it again over a new connection."""

    def __init__(self, daemon, port, number):
        super().__init__(daemon=True)
        self.running, self.port, self.number = daemon, port, number
        self.acknowledged, self.sent, self.stop = set(), 0, threading.Event()
        self.waiting = collections.deque()

    def run(self):
        while not self.stop.is_set() or self.waiting:
            try:
                self.speak()
            except (OSError, AssertionError, TypeError):
                time.sleep(0.02)  # it is away

    def speak(self):
        client = Client(self.running, f"127.0.0.{10 + self.number}", port=self.port)
        by_number = {}
        again = list(self.waiting)
        while again or self.waiting or not self.stop.is_set():
            while len(by_number) < WINDOW and (again or not self.stop.is_set()):
                if again:
                    message = again.pop(0)
                else:
                    message, self.sent = self.sent, self.sent + 1
                    self.waiting.append(message)
                by_number[client.send(b"syslog", b"<13>1 - h app - - - of %d number %d" % (self.number, message))] = message
            if not by_number:
                break
            txnr, _, words = client.receive()
            assert words == b"200 OK"
            message = by_number.pop(txnr)
            self.waiting.remove(message)
            self.acknowledged.add(message)
        client.close()


def test_kills_lose_nothing_that_was_acknowledged(tmp_path, shows_loss):
    dice = random.Random(5)
    with Daemon(tmp_path / "d", RELP) as daemon:
        port = daemon.port("relp")
        daemon.config.write_text(daemon.config.read_text().replace('"127.0.0.1:0"', f'"127.0.0.1:{port}"'))
        assert daemon.stop() == 0
        daemon.start()
        senders = [Sender(daemon, port, number) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        for _ in range(KILLS):
            time.sleep(dice.uniform(0.05, KILL_AFTER_SECONDS))
            daemon.kill()
            daemon.start()
        for sender in senders:
            sender.stop.set()
        for sender in senders:
            sender.join(120)
            assert not sender.is_alive() and len(sender.acknowledged) == sender.sent > 0
        found = daemon.yushi("search", "*", "-o", "raw")
        assert found.code == 0, found.err
        times = collections.Counter(found.lines)
        for sender in senders:
            missing = [n for n in sender.acknowledged if f"<13>1 - h app - - - of {sender.number} number {n}" not in times]
            assert not missing, f"{len(missing)} acknowledged messages of sender {sender.number} are gone: {missing[:5]}"
        doubles = sum(times.values()) - len(times)
        assert doubles <= (KILLS + 1) * SENDERS * WINDOW
        assert daemon.stop() == 0
    assert yushi("verify", "--store", daemon.data, state=daemon.state).code == 0
    shows_loss("relp-acknowledged")
