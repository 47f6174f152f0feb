"""Syslog over TLS (RFC 5425) from the senders that people have, and who may connect."""

import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from certificates import Authority
from senders import free_port, log_size, metric, wait, wait_size
from test_senders import check_forwarded, ended, feed, lines_of, unpacked_syslog_ng
from yushi_daemon import Daemon


def tls_input(settings):
    return "inputs:\n  - {type: syslog, transport: tls, listen: \"127.0.0.1:0\", tls: {" + settings + "}}\n"


class Place:
    """A CA, a server's certificate, and a daemon that asks clients for theirs."""

    def __init__(self, folder, asks=True, more="", config=""):
        self.ca = Authority(folder / "ca")
        cert, key = self.ca.issue("server")
        clients = f", client_ca: {self.ca.cert}" if asks else ""
        self.daemon = Daemon(folder / "own", tls_input(f"cert: {cert}, key: {key}{clients}{more}") + config)

    def connect(self, name=None, source="127.0.0.1", version=None):
        context = ssl.create_default_context(cafile=self.ca.cert)
        if name:
            context.load_cert_chain(*self.ca.issue(name))
        if version:
            context.maximum_version = version
        plain = socket.create_connection(("127.0.0.1", self.daemon.port("tls")), source_address=(source, 0), timeout=60)
        return context.wrap_socket(plain, server_hostname="localhost")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    made = Place(folder, config='tenants:\n  - {name: finance, match: {cert_cn: ["*.finance.example"]}}\n')
    with made.daemon:
        yield made


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_is_known_by_its_certificate(place, version):
    name = f"web-{version.name.lower()}.finance.example"
    with place.connect(name, version=version) as connection:
        assert connection.version().replace(".", "_") == version.name
        connection.sendall(b"".join(b"%d %s" % (len(m), m) for m in [b"<13>one", b"<13>two"]))
        wait_size(place.daemon, 2 if version == ssl.TLSVersion.TLSv1_2 else 4, "finance")
    found = [r for r in place.daemon.search("*", "--tenant", "finance") if r["event"]["original"] in ("<13>one", "<13>two")]
    assert {"tls"} == {r["yushi"]["transport"] for r in found}
    assert name in [s["source"] for s in place.daemon.yushi("sources", "-o", "json").objects]
    assert {r["log"]["source"]["address"] for r in found} == {"127.0.0.1"}
    assert place.daemon.yushi("verify").code == 0


def test_without_a_certificate_nobody_is_heard_and_it_is_counted(place):
    before = metric(place.daemon, "yushi_input_handshakes_failed_total")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with place.connect() as connection:
            connection.sendall(b"<13>nobody\n")
            connection.recv(1)
    wait(lambda: metric(place.daemon, "yushi_input_handshakes_failed_total") > before, "for the count")
    stranger = Authority(place.ca.folder.parent / "stranger")
    context = ssl.create_default_context(cafile=place.ca.cert)
    context.load_cert_chain(*stranger.issue("server2"))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with socket.create_connection(("127.0.0.1", place.daemon.port("tls"))) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(b"<13>nobody\n")
                connection.recv(1)
    assert not place.daemon.search("nobody")


def test_a_thousand_half_handshakes_stop_nobody(place):
    half = [socket.create_connection(("127.0.0.1", place.daemon.port("tls")), source_address=(f"127.0.1.{i % 250 + 1}", 0))
            for i in range(1000)]
    try:
        before = log_size(place.daemon)
        with place.connect("quick") as connection:
            connection.sendall(b"<13>quick\n")
            wait_size(place.daemon, before + 1)
    finally:
        for connection in half:
            connection.close()


@pytest.mark.parametrize("driver", ["ossl", "gtls"])
def test_rsyslog_sends_over_tls(place, tmp_path, driver):
    cert, key = place.ca.issue(f"rsyslog-{driver}")
    port = free_port()
    config = tmp_path / "rsyslog.conf"
    config.write_text(f"""
global(workDirectory="{tmp_path}" maxMessageSize="64k" defaultNetstreamDriver="{driver}"
       defaultNetstreamDriverCAFile="{place.ca.cert}" defaultNetstreamDriverCertFile="{cert}" defaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" StreamDriver.Name="ptcp" StreamDriver.Mode="0")
ruleset(name="out") {{
  action(type="omfwd" target="127.0.0.1" port="{place.daemon.port('tls')}" protocol="tcp" TCP_Framing="octet-counted"
         StreamDriver="{driver}" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid"
         template="RSYSLOG_SyslogProtocol23Format" queue.type="LinkedList" action.resumeRetryCount="-1")
}}
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="out")
""")
    lines = lines_of(f"rsyslog-{driver}")
    before = log_size(place.daemon)
    process = subprocess.Popen([shutil.which("rsyslogd") or "/usr/sbin/rsyslogd", "-n", "-f", config, "-i", tmp_path / "pid"],
                               stdout=subprocess.DEVNULL, stderr=open(tmp_path / "rsyslog.err", "wb"))
    try:
        feed(port, lines)
        wait_size(place.daemon, before + len(lines))
    finally:
        ended(process)
    check_forwarded(place.daemon, f"rsyslog-{driver}", lines)


def test_syslog_ng_sends_over_tls(place, tmp_path):
    binary, modules, version, environment = unpacked_syslog_ng()
    cert, key = place.ca.issue("syslog-ng")
    port = free_port()
    config = tmp_path / "syslog-ng.conf"
    config.write_text(f"""@version: {version}
options {{ chain_hostnames(no); keep_hostname(yes); keep_timestamp(yes); stats_freq(0); frac-digits(6); }};
source in {{ network(ip("127.0.0.1") port({port}) transport("tcp") flags(syslog-protocol)); }};
destination yushi {{ syslog("127.0.0.1" port({place.daemon.port('tls')}) transport("tls")
  tls(ca-file("{place.ca.cert}") cert-file("{cert}") key-file("{key}"))); }};
log {{ source(in); destination(yushi); flags(flow-control); }};
""")
    lines = lines_of("syslog-ng-tls")
    before = log_size(place.daemon)
    process = subprocess.Popen([binary, "-F", "--no-caps", "-f", config, "--module-path", modules, "-R", tmp_path / "persist",
                                "-p", tmp_path / "pid", "-c", tmp_path / "ctl"], env=environment, stdout=subprocess.DEVNULL,
                               stderr=open(tmp_path / "syslog-ng.err", "wb"))
    try:
        feed(port, lines)
        wait_size(place.daemon, before + len(lines))
    finally:
        ended(process)
    check_forwarded(place.daemon, "syslog-ng-tls", lines)


def test_openssls_client_sends_a_line(place):
    cert, key = place.ca.issue("by-hand")
    before = log_size(place.daemon)
    done = subprocess.run(["openssl", "s_client", "-quiet", "-no_ign_eof", "-connect", f"127.0.0.1:{place.daemon.port('tls')}", "-cert", cert,
                           "-key", key, "-CAfile", place.ca.cert, "-verify_return_error"],
                          input=b"<13>by hand\n", capture_output=True, timeout=60)
    wait_size(place.daemon, before + 1)
    assert place.daemon.search("hand")[0]["event"]["original"] == "<13>by hand", done.stderr


@pytest.mark.parametrize("how", ["SIGHUP", "file"])
def test_a_new_certificate_is_used_without_a_dropped_connection(tmp_path, how):
    made = Place(tmp_path, asks=False)
    with made.daemon as daemon:
        with made.connect() as old:
            first = old.getpeercert(True)
            made.ca.issue("server")
            if how == "SIGHUP":
                daemon.process.send_signal(signal.SIGHUP)

            def is_new():
                with made.connect() as fresh:
                    return fresh.getpeercert(True) != first
            wait(is_new, "for the new certificate")
            old.sendall(b"<13>still here\n")
            wait_size(daemon, 1)
        assert daemon.search("still")[0]["log"]["source"]["address"] == "127.0.0.1"
        # One that is broken is told, and the one before stays.
        (made.ca.folder / "server.pem").write_text("nonsense")
        wait(lambda: "certificate that was read before stays" in (daemon.folder / "yushid.log").read_text(), "for the words")
        with made.connect() as fresh:
            assert fresh.getpeercert(True)
        wait(lambda: [a for a in daemon.yushi("alerts", "-o", "json").objects if a["rule"]["id"] == "yushid.input-trouble"],
             "for the alert")


def test_a_revoked_certificate_is_refused_once_the_list_says_so(tmp_path):
    folder = tmp_path / "ca"
    ca = Authority(folder)
    crl = ca.revoke()
    cert, key = ca.issue("server")
    with Daemon(tmp_path / "own", tls_input(f"cert: {cert}, key: {key}, client_ca: {ca.cert}, crl: {crl}")) as daemon:
        mine = ca.issue("laptop")

        def is_heard():
            context = ssl.create_default_context(cafile=ca.cert)
            context.load_cert_chain(*mine)
            before = log_size(daemon)
            try:
                with socket.create_connection(("127.0.0.1", daemon.port("tls"))) as plain:
                    with context.wrap_socket(plain, server_hostname="localhost") as connection:
                        connection.sendall(b"<13>me\n")
                        connection.settimeout(2)
                        try:
                            connection.recv(1)
                        except TimeoutError:
                            pass
            except (ssl.SSLError, ConnectionError):
                return False
            wait_size(daemon, before + 1)
            return True
        assert is_heard()
        ca.revoke(mine[0])
        wait(lambda: not is_heard(), "for the list to be read")


def test_a_certificate_that_ends_soon_is_told(tmp_path):
    ca = Authority(tmp_path / "ca")
    cert, key = ca.issue("server", days=5)
    with Daemon(tmp_path / "own", tls_input(f"cert: {cert}, key: {key}")) as daemon:
        ends = metric(daemon, "yushi_input_certificate_expiry_seconds")
        assert 4 * 86400 < ends - time.time() < 5 * 86400
        (alert,) = wait(lambda: [a for a in daemon.yushi("alerts", "-o", "json").objects
                                 if a["rule"]["id"] == "yushid.certificate-ends"], "for the alert")
        assert "ends in 4 d" in alert["message"]


def test_what_is_wrong_with_the_files_is_said_before_a_store_is_made(tmp_path):
    ca = Authority(tmp_path / "ca")
    cert, key = ca.issue("server")
    other = ca.issue("other")[1]
    for settings, words in ((f"cert: {cert}, key: {other}", "is not the key of"), (f"cert: {tmp_path}/none.pem, key: {key}", "No such file"),
                            (f"cert: {cert}, key: {key}, client_ca: {key}", "inputs.tls.client_ca")):
        daemon = Daemon(tmp_path / "own", tls_input(settings))
        done = subprocess.run([daemon_binary(), "--config", daemon.config], capture_output=True, timeout=60)
        assert done.returncode == 2 and words in done.stderr.decode(), done.stderr
        assert not daemon.data.exists()


def daemon_binary():
    from yushi_daemon import BIN
    return BIN / "yushid"
