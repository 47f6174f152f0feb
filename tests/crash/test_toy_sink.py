"""What every forwarder is promised, by a toy sink (tests/toys/book_sink.cc): its cursor goes with its records."""

import json
import random
import signal
import time

from senders import log_size, wait, wait_size
from yushi_daemon import BIN, Daemon

KILLS = 8


def records_of(book, log="default"):
    """[(index, value)] of the lines that have a cursor behind them."""
    lines = book.read_text().split("\n")[:-1] if book.exists() else []
    safe = max((i for i, line in enumerate(lines) if line.startswith("cursor ")), default=0)
    pairs = [line.split(" ", 2)[1:] for line in lines[:safe] if line.startswith(f"record {log}/")]
    return [(int(name.rsplit("/", 1)[1]), value) for name, value in pairs]


def says(daemon, words):
    wait(lambda: words in (daemon.folder / "yushid.log").read_text(), f"for the words: {words}")


def line(i):
    return f"<86>1 2026-11-01T08:00:00Z web-0{i % 4} sshd 81 - - Failed password for u{i} from 192.0.2.{i % 250} port 4242 ssh2"


def test_a_cursor_goes_with_its_records_through_kills(tmp_path):
    dice, sent = random.Random(7), []
    book = tmp_path / "book"
    daemon = Daemon(tmp_path / "d", f"forward:\n  - {{type: book, path: {book}}}\n", program=BIN / "yushid_with_toys")
    with daemon:
        for _ in range(KILLS):
            more = [line(len(sent) + i) for i in range(800)]
            sent += more
            daemon.send_tcp(more)
            wait_size(daemon, len(sent))
            time.sleep(dice.uniform(0.0, 0.9))
            before = records_of(book)
            daemon.kill()
            daemon.start()
            assert log_size(daemon) == len(sent)
            assert records_of(book)[:len(before)] == before, "what was safe is gone"
        wait(lambda: len(records_of(book)) >= len(sent), "for all records to be in the book")
        assert daemon.stop() == 0
    got = records_of(book)
    assert [index for index, _ in got] == list(range(len(sent))), "a record twice, left out, or out of order"
    for index, value in got:
        assert json.loads(value)["event"]["original"] == sent[index]


def test_two_forwarders_come_change_and_go_by_themselves(tmp_path):
    books = [tmp_path / name for name in ("first", "second")]
    entry = lambda book, more="": f"  - {{type: book, path: {book}{more}}}\n"
    with Daemon(tmp_path / "d", "forward:\n" + entry(books[0]), program=BIN / "yushid_with_toys") as daemon:
        text, base = daemon.config.read_text(), daemon.config.read_text().replace(entry(books[0]), "")

        def reload(forward):
            daemon.config.write_text(base + forward)
            daemon.process.send_signal(signal.SIGHUP)

        assert text == base + entry(books[0])
        daemon.send_tcp([line(i) for i in range(100)])
        wait(lambda: len(records_of(books[0])) == 100, "for the first book")
        reload(entry(books[0]) + entry(books[1], ', select: "user.name: u1*"'))
        wait(lambda: [i for i, _ in records_of(books[1])] == [1, *range(10, 20)], "for the second book")
        reload(entry(books[0]) + entry(books[1], ', select: "user.name: u2*"'))  # goes on at its cursor
        says(daemon, f"forwarding to book {books[1]} is changed")
        daemon.send_tcp([line(i) for i in range(100, 300)])
        wait(lambda: [i for i, _ in records_of(books[1])] == [1, *range(10, 20), *range(200, 300)], "for the second book")
        reload(entry(books[1], ', select: "user.name: u2*"'))
        says(daemon, f"forwarding to book {books[0]} has ended")
        daemon.send_tcp([line(200)])
        wait(lambda: len(records_of(books[1])) == 112, "for the second book")
        assert len(records_of(books[0])) == 300
        assert [each["name"] for each in daemon.status()["forwarders"]] == [f"book {books[1]}"]
        reload(entry(books[0]) + entry(books[1], ', select: "user.name: u2*"'))  # it is back, and goes on where it was
        wait(lambda: [i for i, _ in records_of(books[0])] == list(range(301)), "for the first book")

        reload(entry(books[0]) + entry(books[1], ', select: "usre.name: u2*"'))
        says(daemon, "forward.select: usre.name is a field neither of ECS nor of a parser")
        says(daemon, "did you mean user.name?; the forwarders stay as they are")
        assert len(daemon.status()["forwarders"]) == 2  # as they were
        daemon.send_tcp([line(201)])
        wait(lambda: len(records_of(books[1])) == 113, "for the second book")
        told = [record["message"] for record in daemon.search("event.action: reload", "--tenant", "_audit")]
        for words in (f"forwarding to book {books[1]}", f"forwarding to book {books[1]} is changed",
                      f"forwarding to book {books[0]} has ended", f"forwarding to book {books[0]}"):
            assert any(words in each.split("; ") for each in told), told
        assert any("usre.name" in each and "the forwarders stay as they are" in each for each in told)
        assert daemon.stop() == 0
    assert [i for i, _ in records_of(books[0])] == list(range(302))
