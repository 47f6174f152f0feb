"""A reload under load: it seals nothing, each record keeps the fields of its time, and all of it can be proved."""

import json
import signal
import socket
import ssl
import threading

from certificates import Authority
from senders import connect, log_size, metric, wait, wait_size
from yushi_daemon import Daemon, yushi

RELOADS = 6
CONNECTIONS = 4
ORDERS_MAX = 15_000  # of one connection: all of them together must fit into one block


def write_parser(folder, version):
    """Of each version the constant is another, and every other one gives the captured name to another field."""
    who = "shop.who" if version % 2 else "user.name"
    folder.mkdir(exist_ok=True)
    (folder / "shop.yaml").write_text(f"""name: shop
match: {{app: [shop]}}
patterns:
  - name: order
    grok: 'order %{{INT:shop.order}} by %{{USER:{who}}}'
    fields: {{event.action: version-{version}}}
tests:
  - line: 'order 7 by root'
    expect: {{{who}: root, event.action: version-{version}}}
  - {{line: 'no order', expect: none}}
""")


def version_of(record):
    """Which version gave a record its fields; all of them must be that one's."""
    version = int(record["event"]["action"].removeprefix("version-"))
    who = record["shop"]["who"] if version % 2 else record["user"]["name"]
    assert who == f"user-{record['shop']['order']}"
    assert ("user" in record) == (version % 2 == 0)
    return version


def line(order):
    return f"<13>1 - host shop 1 - - order {order} by user-{order}\n".encode()


def reload(daemon, version):
    """Returns when the daemon has it, and with one record more, which was understood by it."""
    write_parser(daemon.folder / "parsers", version)
    told = (daemon.folder / "yushid.log").read_text().count("reloaded ")
    daemon.process.send_signal(signal.SIGHUP)
    wait(lambda: (daemon.folder / "yushid.log").read_text().count("reloaded ") > told, "for the reload")


class Load:
    """Orders over some connections at once, each from an address of its own, until it is stopped or has sent its most."""

    def __init__(self, daemon):
        self.sent = [0] * CONNECTIONS
        self.ends = threading.Event()
        port = daemon.port("tcp")
        self.threads = [threading.Thread(target=self._send, args=(port, i)) for i in range(CONNECTIONS)]
        for thread in self.threads:
            thread.start()

    def _send(self, port, number):
        with connect(port, f"127.0.2.{number + 1}") as connection:
            while not self.ends.wait(0.02) and self.sent[number] < ORDERS_MAX:
                connection.sendall(b"".join(line(self.sent[number] + i) for i in range(5)))
                self.sent[number] += 5

    def goes_on(self):
        return any(thread.is_alive() for thread in self.threads)

    def stop(self):
        self.ends.set()
        for thread in self.threads:
            thread.join()
        return sum(self.sent)


def send(daemon, order, source):
    with connect(daemon.port("tcp"), source) as connection:
        connection.sendall(line(order))


def test_a_reload_under_load_seals_nothing_and_each_record_keeps_the_fields_of_its_time(tmp_path):
    write_parser(tmp_path / "parsers", 0)
    with Daemon(tmp_path, f"parsers: [{tmp_path / 'parsers'}]\n") as daemon:
        load = Load(daemon)
        wait_size(daemon, 1)
        for version in range(1, RELOADS + 1):
            reload(daemon, version)
            send(daemon, version, f"127.0.3.{version}")  # this one can only be of the new version
            seen = log_size(daemon)
            wait(lambda: log_size(daemon) > seen + 100 or not load.goes_on(), "for more orders of this version")
        sent = load.stop() + RELOADS
        wait_size(daemon, sent)
        assert daemon.status()["blocks_sealed"] == 0

        def check():
            records = daemon.search("*") if daemon.process else yushi("search", "*", "-o", "json", "--store", daemon.data).objects
            assert len(records) == sent
            versions = {}
            for record in sorted(records, key=lambda r: int(r["event"]["id"].rsplit("/", 1)[1])):
                versions.setdefault(record["log"]["source"]["address"], []).append(version_of(record))
            for version in range(1, RELOADS + 1):
                assert versions.pop(f"127.0.3.{version}") == [version]
            assert len(versions) == CONNECTIONS
            for of_one in versions.values():
                assert of_one == sorted(of_one), "an old version came back"
            assert len(set().union(*versions.values())) > 2, "the load saw hardly a reload"
            return versions

        from_tail = check()

        # A crash, then yet another version: what lay in the tail keeps what it had.
        daemon.kill()
        write_parser(tmp_path / "parsers", RELOADS + 1)
        daemon.start()
        assert check() == from_tail
        assert daemon.status()["blocks_sealed"] == 0
        proved = daemon.yushi("verify")
        assert proved.code == 0, proved.text + proved.err

        assert daemon.stop() == 0
        assert check() == from_tail
        daemon.start()
        explained = daemon.yushi("search", "*", "--explain", "-o", "raw")
        assert "1 of 1 blocks read" in explained.err, explained.err
        assert check() == from_tail
        proved = daemon.yushi("verify", "-o", "json")
        assert proved.code == 0, proved.text + proved.err
        assert json.loads(proved.lines[-1])["yushi.end"]["unproved"] == 0
        # Each start says under the tree which engine gave the fields from then on.
        assert len(daemon.search("event.action: start and event.provider: yushid", "--tenant", "_audit")) == 3


def typed_parser(folder, kind):
    folder.mkdir(exist_ok=True)
    (folder / "till.yaml").write_text(f"""name: till
match: {{app: [till]}}
types: {{till.order: {kind}}}
patterns:
  - name: order
    grok: 'order %{{DATA:till.order}} by %{{USER:user.name}}'
tests:
  - {{line: 'order 7 by root', expect: {{user.name: root}}}}
  - {{line: 'no order', expect: none}}
""")


def test_a_field_whose_type_changes_is_found_and_proved_in_the_records_of_each_type(tmp_path):
    daemon = Daemon(tmp_path, f"parsers: [{tmp_path / 'parsers'}]\n")
    count = 0
    for kind in ("integer", "keyword", "ip", "integer"):
        typed_parser(tmp_path / "parsers", kind)
        with daemon:
            orders = range(count, count + 10) if kind != "ip" else [f"10.0.0.{n}" for n in range(10)]
            daemon.send_tcp([f"<13>1 2026-11-23T04:00:00Z h till 1 - - order {order} by bob" for order in orders])
            count += 10
            wait_size(daemon, count)
            for ask in (lambda *args: daemon.yushi("search", *args),
                        lambda *args: yushi("search", *args, "--store", daemon.data, state=daemon.state)):
                assert ask("till.order: *", "-o", "raw").out.count(b"\n") == count
                if kind == "ip":  # 5 is no address, and said to be none
                    assert ask("till.order: 10.0.0.7", "-o", "raw").out.count(b"order 10.0.0.7 ") == 1
                    continue
                for order in range(5, min(count, 20), 10):
                    assert ask(f"till.order: {order}", "-o", "raw").out.count(f"order {order} ".encode()) == 1
            answer = daemon.yushi("verify")
            assert answer.code == 0, answer.text
            assert daemon.stop() == 0
        assert yushi("verify", "--store", daemon.data, state=daemon.state).code == 0


def test_a_broken_file_at_a_reload_is_told_and_its_version_of_before_stays(tmp_path):
    write_parser(tmp_path / "parsers", 0)
    with Daemon(tmp_path, f"parsers: [{tmp_path / 'parsers'}]\n") as daemon:
        for name in ("broken", "shop"):  # a new one, and one that was good
            (tmp_path / "parsers" / f"{name}.yaml").write_text(f'name: "{name}\n')
        daemon.process.send_signal(signal.SIGHUP)
        told = wait(lambda: daemon.search("event.action: reload", "--tenant", "_audit"), "for the record of the reload")
        assert len(told) == 1
        said = json.loads(told[0]["event"]["original"])
        assert said["event"]["outcome"] == "failure"
        log = (tmp_path / "yushid.log").read_text()
        for told in (said["event"]["reason"], log, "\n".join(daemon.status()["left_out"])):
            assert f"{tmp_path / 'parsers' / 'broken.yaml'}:" in told and "the file is left out" in told
            assert f"{tmp_path / 'parsers' / 'shop.yaml'}:" in told and "its version of before stays" in told
        send(daemon, 7, "127.0.3.1")
        (record,) = wait(lambda: daemon.search("process.name: shop"), "for the order")
        assert version_of(record) == 0
        reload(daemon, 1)  # shop is right again, broken is gone
        (tmp_path / "parsers" / "broken.yaml").unlink()
        reload(daemon, 2)
        assert daemon.status()["left_out"] == []
        assert daemon.stop() == 0


def says(daemon, words):
    wait(lambda: words in (daemon.folder / "yushid.log").read_text(), f"for the words: {words}")


def test_inputs_come_and_go_under_load_and_nobody_else_is_dropped(tmp_path):
    inputs = '  - {type: syslog, transport: tcp, listen: "127.0.0.1:0"}\n'
    with Daemon(tmp_path / "d", "inputs:\n" + inputs) as daemon:
        text = daemon.config.read_text()
        load = Load(daemon)
        for number in range(3):
            daemon.config.write_text(text + '  - {type: syslog, transport: udp, listen: "127.0.0.1:0"}\n')
            daemon.process.send_signal(signal.SIGHUP)
            wait(lambda: len(daemon.status()["inputs"]) == 2, "for the new input")
            daemon.send_udp([f"<13>1 - host other 1 - - over udp {number}"])
            wait(lambda: len(daemon.search("udp")) == number + 1, "for what it hears")
            daemon.config.write_text(text)
            daemon.process.send_signal(signal.SIGHUP)
            wait(lambda: len(daemon.status()["inputs"]) == 1, "for it to go")
        sent = load.stop()
        wait_size(daemon, sent + 3)
        assert log_size(daemon) == sent + 3

        def told(words):
            return sum(words in record["message"] for record in daemon.search("event.action: reload", "--tenant", "_audit"))
        wait(lambda: told("listening on udp") == 3 and told("is closed") == 3, "for the records of what was done")


def test_what_needs_a_restart_is_named_and_a_wrong_config_changes_nothing(tmp_path):
    with Daemon(tmp_path / "d") as daemon:
        text = daemon.config.read_text()
        daemon.config.write_text(text.replace("node: e2e", "node: other") + "limits: {sources: 100}\n")
        daemon.process.send_signal(signal.SIGHUP)
        says(daemon, "taken at the next start: limits, node")
        daemon.config.write_text(text + "inputs: []\nnonsense: 1\n")
        daemon.process.send_signal(signal.SIGHUP)
        says(daemon, "is wrong, so nothing of it is taken")
        says(daemon, "nonsense: unknown key")
        daemon.send_tcp(["<13>still heard"])
        wait_size(daemon, 1)
        wait(lambda: len(daemon.search("event.action: reload", "--tenant", "_audit")) >= 3, "for the records")


def test_tenants_come_change_and_go_under_load_with_a_new_input_and_a_new_certificate(tmp_path):
    """Over TCP and TLS: nothing is lost, nobody is dropped, and each record goes where its sender belongs then."""
    authority = Authority(tmp_path / "ca")
    cert, key = authority.issue("server")
    tls = f'  - {{type: syslog, transport: tls, listen: "127.0.0.1:0", tls: {{cert: {cert}, key: {key}}}}}\n'
    tcp = '  - {type: syslog, transport: tcp, listen: "127.0.0.1:0"}\n'
    udp = '  - {type: syslog, transport: udp, listen: "127.0.0.1:0"}\n'
    finance = '  - {name: finance, match: {cidr: [127.0.2.1, 127.0.2.2]}}\n'
    with Daemon(tmp_path / "d", "inputs:\n" + tcp + tls) as daemon:
        text = daemon.config.read_text()

        def reload_to(inputs, *tenants):
            daemon.config.write_text(text.replace(tls, tls + inputs) + ("tenants:\n" + "".join(tenants) if tenants else ""))
            count = len(daemon.search("event.action: reload", "--tenant", "_audit"))
            daemon.process.send_signal(signal.SIGHUP)
            wait(lambda: len(daemon.search("event.action: reload", "--tenant", "_audit")) > count, "for the reload")

        def grows(log):
            size = log_size(daemon, log)
            wait(lambda: log_size(daemon, log) > size, f"for more in {log}")

        def send_udp(source, words):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind((source, 0))
                sender.sendto(f"<13>1 - host other 1 - - {words}".encode(), ("127.0.0.1", daemon.port("udp")))

        load = Load(daemon)
        context = ssl.create_default_context(cafile=authority.cert)
        plain = socket.create_connection(("127.0.0.1", daemon.port("tls")), source_address=("127.0.2.9", 0), timeout=60)
        with context.wrap_socket(plain, server_hostname="localhost") as secure:
            secure.sendall(line(0))
            grows("default")
            authority.issue("server")
            reload_to(udp, finance)
            send_udp("127.0.2.2", "first")
            grows("finance")
            secure.sendall(line(1))
            reload_to(udp, '  - {name: hr, match: {cidr: [127.0.2.9]}, timezone: Asia/Shanghai}\n', finance.replace("127.0.2.2", "127.0.2.3"))
            grows("finance")
            secure.sendall(line(2))
            wait(lambda: log_size(daemon, "hr") == 1, "for the connection that belongs to hr now")
            send_udp("127.0.2.2", "second")
            wait(lambda: daemon.search("second", "--tenant", "default"), "for the datagram of default now")
            reload_to("")
            for _ in range(3):  # what was on its way is there
                grows("default")
            size = log_size(daemon, "finance")
            grows("default")
            assert log_size(daemon, "finance") == size, "finance is gone"
            secure.sendall(line(3))
            sent = load.stop() + 4 + 2
            wait(lambda: sum(log_size(daemon, log) for log in ("default", "finance", "hr")) == sent, "for all that was sent")
        orders = {}
        for log in ("default", "finance", "hr"):
            last = {}
            for record in sorted(daemon.search("process.name: shop", "--tenant", log), key=lambda r: int(r["event"]["id"].rsplit("/", 1)[1])):
                source, order = record["log"]["source"]["address"], int(record["event"]["original"].split(" order ")[1].split()[0])
                assert order > last.get(source, -1)
                last[source] = order
                orders.setdefault(source, []).append(order)
        assert sorted(orders) == [f"127.0.2.{n}" for n in (1, 2, 3, 4, 9)]
        for of_one in orders.values():
            assert sorted(of_one) == list(range(len(of_one)))
        assert len(daemon.search("first", "--tenant", "finance")) == 1
        assert metric(daemon, "yushi_connections_open") == 0
        told = "; ".join(r["message"] for r in daemon.search("event.action: reload", "--tenant", "_audit"))
        for words in ("tenant finance is added", "tenant hr is added", "tenant finance is changed", "tenant finance is removed, its log stays"):
            assert words in told
        proved = daemon.yushi("verify")
        assert proved.code == 0, proved.text + proved.err
        assert daemon.stop() == 0
        # The logs of tenants that are gone stay, and go on when they come back.
        daemon.config.write_text(text + "tenants:\n" + finance)
        daemon.start()
        daemon.send_tcp([line(7).decode().rstrip()], "127.0.2.1")
        wait_size(daemon, size + 1, "finance")
        assert daemon.yushi("verify").code == 0
