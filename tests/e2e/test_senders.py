"""The senders that people have: rsyslog, syslog-ng and logger, as their packages ship them."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess

import pytest

from senders import free_port, index_of, log_size, metric, wait, wait_size
from yushi_daemon import Daemon, yushi

SYSLOG_NG_PACKAGES = ["syslog-ng-core", "libivykis0", "libnet1", "libwrap0", "libjson-c5", "libpcre3"]
COUNT = 1_000


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    folder = tmp_path_factory.mktemp("senders")
    unix = folder / "log.sock"
    with Daemon(folder, "inputs:\n"
                '  - {type: syslog, transport: tcp, listen: "127.0.0.1:0"}\n'
                '  - {type: syslog, transport: udp, listen: "127.0.0.1:0"}\n'
                f"  - {{type: syslog, transport: unix, path: {unix}}}\n") as running:
        running.unix = unix
        yield running


def lines_of(host, count=COUNT):
    """RFC 5424 with what breaks forwarders: structured data, quotes, UTF-8, no pid."""
    kinds = ["sshd 811 - - Failed password for root from 10.0.0.{n} port 42{n} ssh2",
             'app - ID47 [exampleSDID@32473 iut="3" name="a \\"b\\" \\] c"] number {n}',
             "app - - - 登录失败，第 {n} 次",
             "cron 99 - - (root) CMD (test -x /usr/bin/anacron || number {n})"]
    return [f"<86>1 2026-11-01T08:{i // 60 % 60:02}:{i % 60:02}.{i:06}Z {host} " + kinds[i % 4].format(n=i) for i in range(count)]


def ended(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def feed(port, lines):
    def connected():
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            return None
    with wait(connected, "for the forwarder to listen") as connection:
        connection.sendall("".join(line + "\n" for line in lines).encode())


def rest_of(line):
    """What stands behind the time, which a forwarder may write in another way. It may also put a LF into its frame."""
    return line.split(" ", 2)[2].removesuffix("\n")


def check_forwarded(daemon, host, lines):
    got = sorted(daemon.search(f"host.name: {host}"), key=index_of)
    assert [rest_of(record["event"]["original"]) for record in got] == [rest_of(line) for line in lines]
    assert {record["@timestamp"][:19] for record in got} == {line.split()[1][:19] for line in lines}
    structured = next(record for record in got if record["log"]["syslog"].get("msgid") == "ID47")
    assert structured["log"]["syslog"]["structured_data"]["exampleSDID@32473"] == {"iut": "3", "name": 'a "b" ] c'}
    failed = next(record for record in got if record["process"]["name"] == "sshd")
    assert (failed["user"]["name"], failed["event"]["outcome"]) == ("root", "failure")


def test_rsyslog_forwards_a_stream_and_a_file(daemon, tmp_path):
    rsyslogd = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
    assert os.path.exists(rsyslogd), "rsyslog is not installed; scripts/install-deps does it"
    port, watched = free_port(), tmp_path / "watched.log"
    file_lines = [f"line {i} of a file that rsyslog watches" for i in range(200)]
    watched.write_text("".join(line + "\n" for line in file_lines))
    config = tmp_path / "rsyslog.conf"
    config.write_text(f"""
global(workDirectory="{tmp_path}" maxMessageSize="64k")
module(load="imtcp")
module(load="imfile" mode="polling" pollingInterval="1")
ruleset(name="out") {{
  action(type="omfwd" target="127.0.0.1" port="{daemon.port('tcp')}" protocol="tcp" TCP_Framing="octet-counted"
         template="RSYSLOG_SyslogProtocol23Format" queue.type="LinkedList" action.resumeRetryCount="-1")
}}
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="out")
input(type="imfile" file="{watched}" tag="watched" facility="local3" severity="info" ruleset="out")
""")
    before = log_size(daemon)
    lines = lines_of("rsyslog-host")
    process = subprocess.Popen([rsyslogd, "-n", "-f", config, "-i", tmp_path / "pid"], stdout=subprocess.DEVNULL,
                               stderr=open(tmp_path / "rsyslog.err", "wb"))
    try:
        feed(port, lines)
        wait_size(daemon, before + len(lines) + len(file_lines))
    finally:
        ended(process)
    check_forwarded(daemon, "rsyslog-host", lines)
    from_file = sorted(daemon.search("process.name: watched"), key=index_of)
    assert [record["message"] for record in from_file] == file_lines
    assert from_file[0]["log"]["syslog"]["facility"]["name"] == "local3"


@pytest.mark.parametrize("options", ['TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"',
                                     'template="RSYSLOG_ForwardFormat"', ""], ids=["protocol23", "forward", "default"])
def test_what_rsyslog_reads_from_its_socket_is_understood_in_each_format(daemon, tmp_path, options):
    """Of `logger` on /dev/log its message begins with a blank, and one of its formats sends that blank."""
    rsyslogd = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
    assert os.path.exists(rsyslogd), "rsyslog is not installed; scripts/install-deps does it"
    host = "host-" + str(len(options))
    log_socket, config = tmp_path / "log", tmp_path / "rsyslog.conf"
    config.write_text(f"""
global(workDirectory="{tmp_path}" localHostname="{host}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{log_socket}" CreatePath="on")
*.* action(type="omfwd" target="127.0.0.1" port="{daemon.port('tcp')}" protocol="tcp" {options})
""")
    process = subprocess.Popen([rsyslogd, "-n", "-f", config, "-i", tmp_path / "pid"], stdout=subprocess.DEVNULL,
                               stderr=open(tmp_path / "rsyslog.err", "wb"))
    try:
        wait(log_socket.exists, "for rsyslog's socket")
        for tag, text in (("usermod", "add 'eve' to group 'sudo'"),
                          ("sshd", "Accepted password for bob from 198.51.100.9 port 49 ssh2")):
            subprocess.run(["logger", "--socket", log_socket, "--tag", tag, "--id=811", "--priority", "authpriv.info", "--", text],
                           check=True)
        asked = f"host.name: {host} and process.pid: 811"
        wait(lambda: len(daemon.search(asked)) == 2, "for what rsyslog sends")
    finally:
        ended(process)
    (added,) = daemon.search(asked + " and process.name: usermod")
    assert added["message"].strip() == "add 'eve' to group 'sudo'"
    assert (added["event"]["dataset"], added["user"]["name"], added["group"]["name"]) == ("accounts", "eve", "sudo")
    (accepted,) = daemon.search(asked + " and process.name: sshd")
    assert (accepted["event"]["dataset"], accepted["event"]["outcome"]) == ("sshd", "success")
    assert (accepted["user"]["name"], accepted["source"]["ip"], accepted["source"]["port"]) == ("bob", "198.51.100.9", 49)


def unpacked_syslog_ng():
    """It cannot be installed beside rsyslog, so its packages are unpacked into a cache."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "yushi-tests/syslog-ng"
    root = cache / "root"
    binary = root / "usr/sbin/syslog-ng"
    if not binary.exists():
        cache.mkdir(parents=True, exist_ok=True)
        for package in SYSLOG_NG_PACKAGES:
            subprocess.run(["apt-get", "download", package], cwd=cache, capture_output=True)
        for archive in cache.glob("*.deb"):
            subprocess.run(["dpkg", "-x", archive, root], capture_output=True)
    if not binary.exists():
        pytest.skip("syslog-ng could not be had by `apt-get download syslog-ng-core`, so it was not tested")
    libraries = [folder for pattern in ("usr/lib/*-linux-gnu", "lib/*-linux-gnu", "usr/lib/syslog-ng")
                 for folder in root.glob(pattern)]
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries))}
    (modules,) = root.glob("usr/lib/syslog-ng/[0-9]*")
    runs = subprocess.run([binary, "--version", "--module-path", modules], env=environment, capture_output=True, text=True)
    if runs.returncode != 0:
        pytest.skip(f"syslog-ng was unpacked but does not run, so it was not tested: {runs.stderr}")
    version = next(l for l in runs.stdout.splitlines() if l.startswith("Config version")).split()[-1]
    return binary, modules, version, environment


def test_syslog_ng_forwards_a_stream(daemon, tmp_path):
    binary, modules, version, environment = unpacked_syslog_ng()
    port = free_port()
    config = tmp_path / "syslog-ng.conf"
    config.write_text(f"""@version: {version}
options {{ chain_hostnames(no); keep_hostname(yes); keep_timestamp(yes); stats_freq(0); frac-digits(6); }};
source in {{ network(ip("127.0.0.1") port({port}) transport("tcp") flags(syslog-protocol)); }};
destination yushi {{ syslog("127.0.0.1" port({daemon.port('tcp')}) transport("tcp")); }};
log {{ source(in); destination(yushi); flags(flow-control); }};
""")
    before = log_size(daemon)
    lines = lines_of("syslog-ng-host")
    process = subprocess.Popen(
        [binary, "-F", "--no-caps", "-f", config, "--module-path", modules, "-R", tmp_path / "persist", "-p",
         tmp_path / "pid", "-c", tmp_path / "ctl"], env=environment, stdout=subprocess.DEVNULL,
        stderr=open(tmp_path / "syslog-ng.err", "wb"))
    try:
        feed(port, lines)
        wait_size(daemon, before + len(lines))
    finally:
        ended(process)
    check_forwarded(daemon, "syslog-ng-host", lines)


def test_syslog_ngs_own_numbers_tell_of_no_loss_that_is_none(tmp_path):
    """It numbers what begins with it, for each destination apart, and from 1 with each start."""
    binary, modules, version, environment = unpacked_syslog_ng()
    watched = tmp_path / "app.log"
    config = tmp_path / "syslog-ng.conf"
    with Daemon(tmp_path / "numbers") as running:
        config.write_text(f"""@version: {version}
options {{ stats_freq(0); }};
source in {{ file("{watched}" flags(no-parse) follow-freq(0.1)); internal(); }};
destination tcp {{ syslog("127.0.0.1" port({running.port('tcp')}) transport("tcp")); }};
destination udp {{ syslog("127.0.0.1" port({running.port('udp')}) transport("udp")); }};
filter some {{ message("[05]$") }};
log {{ source(in); destination(tcp); }};
log {{ source(in); filter(some); destination(udp); }};
""")
        for life in range(3):
            process = subprocess.Popen(
                [binary, "-F", "--no-caps", "-f", config, "--module-path", modules, "-R", tmp_path / "persist", "-p",
                 tmp_path / "pid", "-c", tmp_path / "ctl"], env=environment, stdout=subprocess.DEVNULL,
                stderr=open(tmp_path / "syslog-ng.err", "ab"))
            try:
                with open(watched, "a") as file:
                    file.writelines(f"number {life} {n}\n" for n in range(500))
                for transport, each in (("tcp", 500), ("udp", 100)):
                    wait(lambda: len(running.search(f"number and yushi.transport: {transport}")) == (life + 1) * each,
                         f"for what syslog-ng sends over {transport}")
            finally:
                ended(process)
        records = running.search("number")
        numbers = [record["log"]["syslog"]["structured_data"]["meta"]["sequenceId"] for record in records]
        assert len(numbers) == 1800 and len(set(numbers)) < 600  # six counters, and one host
        (source,) = running.yushi("sources", "-o", "json").objects
        assert (source["losses"], source["transports"]) == (0, ["udp", "tcp"])


@pytest.mark.parametrize("way", ["tcp octet rfc5424", "tcp octet rfc3164", "tcp newline rfc5424", "udp rfc5424", "udp rfc3164",
                                 "unix"])
def test_logger_reaches_every_input(daemon, way):
    word = "logger_" + way.replace(" ", "_")
    arguments = ["logger", "--tag", "nightly", "--priority", "local4.warning"]
    if "unix" in way:
        arguments += ["--socket", str(daemon.unix)]
    else:
        transport = way.split()[0]
        arguments += ["--server", "127.0.0.1", "--port", str(daemon.port(transport)), f"--{transport}"]
        arguments += ["--octet-count"] if "octet" in way else []
        arguments += ["--" + way.split()[-1]]
    before = log_size(daemon)
    subprocess.run([*arguments, f"{word} said 失败"], check=True)
    wait_size(daemon, before + 1)
    (record,) = daemon.search(word)
    assert record["message"] == f"{word} said 失败"
    assert record["process"]["name"] == "nightly"
    assert record["log"]["syslog"]["facility"]["name"] == "local4"
    assert record["log"]["syslog"]["severity"]["name"] == "Warning"


def hosts_of(daemon, query):
    return [(record["host"]["name"], record["yushi"].get("host", {}).get("unconfirmed", False))
            for record in daemon.yushi("search", query, "-o", "json").objects]


def test_a_host_that_its_sender_did_not_name_before_is_marked_and_a_relay_may_name_any(tmp_path):
    """127.0.0.9 is a relay, 127.0.0.8 a machine; what is marked stays so for whoever reads it again, and over a restart."""
    def say(source, *lines):
        before = log_size(daemon)
        with socket.socket() as sender:
            sender.bind((source, 0))
            sender.connect(("127.0.0.1", daemon.port("tcp")))
            sender.sendall("".join(line + "\n" for line in lines).encode())
        wait_size(daemon, before + len(lines))

    def line(host, text):
        return f"<13>1 2026-11-01T08:00:00Z {host} app - - - {text}"

    second = "<134>Nov  1 08:00:00 {} Nov  1 08:00:01 inner sshd[3]: Failed password for root from 198.51.100.9 port 5 ssh2"
    daemon = Daemon(tmp_path)
    with daemon:
        daemon.config.write_text(daemon.config.read_text() + 'relays: ["127.0.0.9", "2001:db8::/32"]\n')
        daemon.process.send_signal(signal.SIGHUP)
        wait(lambda: "the relays are changed" in (tmp_path / "yushid.log").read_text(), "for the reload")
        say("127.0.0.8", line("web-01", "one"), line("bank-gw", "two"), line("web-01.example", "three"), second.format("web-01"))
        say("127.0.0.9", line("web-02", "one"), line("bank-gw", "two"), second.format("relay-1"))
        assert daemon.stop() == 0
    with daemon:
        say("127.0.0.8", line("bank-gw", "four"), line("web-01", "five"))
        of_machine, of_relay = "log.source.address: 127.0.0.8", "log.source.address: 127.0.0.9"
        assert sorted(hosts_of(daemon, of_machine)) == [("bank-gw", True), ("bank-gw", True), ("web-01", False), ("web-01", False),
                                                        ("web-01", False), ("web-01.example", False)]
        assert sorted(hosts_of(daemon, of_relay)) == [("bank-gw", False), ("inner", False), ("web-02", False)]
        assert len(hosts_of(daemon, "yushi.host.unconfirmed: true")) == 2
        assert [h for h, _ in hosts_of(daemon, "event.dataset: sshd and source.ip: 198.51.100.9")] in (["web-01", "inner"], ["inner", "web-01"])
        assert metric(daemon, "yushi_hosts_unconfirmed_total") == 1  # since this start
        assert daemon.yushi("verify").code == 0
        assert daemon.stop() == 0
    store = ("--store", daemon.data)
    assert yushi("verify", *store, state=daemon.state).code == 0
    books = yushi("search", "message: *sent*", "--tenant", "_audit", "-o", "json", *store, state=daemon.state).objects
    assert sum(source.get("hosts_unconfirmed", 0) for record in books
               for source in json.loads(record["event"]["original"])["yushi"]["ledger"]["sources"]) == 2
