"""The daemons that the comparisons run, and the generator that feeds them (bench/compare, bench/forward)."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.request

REPO = pathlib.Path(__file__).resolve().parents[1]
NEEDLE, NEEDLES = "needle7f3a9c51", 5
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def peak_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def files_under(folder):
    return [path for path in pathlib.Path(folder).rglob("*") if path.is_file() and not path.is_symlink()]


def disk_bytes(folder):
    return sum(path.stat().st_blocks * 512 for path in files_under(folder))


def drop_from_page_cache(folder):
    for path in files_under(folder):
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fdatasync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)


class Daemon:
    """What the comparison asks of each. `data` is the folder whose bytes count."""

    def __init__(self, folder, options):
        self.folder, self.options = pathlib.Path(folder), options
        self.data = self.folder / "data"
        self.data.mkdir(parents=True)
        self.port = free_port()
        self.process = None

    def command(self):
        raise NotImplementedError

    def committed(self):
        """Messages that it has, as far as it says so."""
        raise NotImplementedError

    def search_command(self):
        """Prints the needle's messages, one a line; run when the daemon is down and its files are cold."""
        raise NotImplementedError

    def counted_at_rest(self):
        raise NotImplementedError

    def spawn(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=subprocess.STDOUT, cwd=self.folder,
                                        env=self.environment())
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended at once:\n" + (self.folder / "log").read_text()[-2000:])
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not listen on its port")

    def environment(self):
        return {k: v for k, v in os.environ.items() if k not in ("STATE_DIRECTORY", "RUNTIME_DIRECTORY")}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(300)

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def search(self):
        """Seconds and hits of a new process over cold files."""
        drop_from_page_cache(self.data)
        began = time.monotonic()
        found = subprocess.run(self.search_command(), capture_output=True, text=True, env=self.environment())
        return time.monotonic() - began, sum(NEEDLE in line for line in found.stdout.splitlines())


def lines_of(path):
    count = 0
    try:
        with open(path, "rb", buffering=0) as file:
            while chunk := file.read(1 << 22):
                count += chunk.count(b"\n")
    except FileNotFoundError:
        pass
    return count


class FileWriter(Daemon):
    last_size = -1

    @property
    def file(self):
        return self.data / "all.log"

    def committed(self):
        # Counting costs, so only when it has stopped growing.
        try:
            size = self.file.stat().st_size
        except FileNotFoundError:
            return 0
        if size < 0.98 * self.options.message_bytes and not self.options.udp or size != self.last_size:
            self.last_size = size
            return 0
        return lines_of(self.file)

    def counted_at_rest(self):
        return lines_of(self.file)

    def search_command(self):
        return ["grep", "-F", NEEDLE, str(self.file)]


def certificate(folder):
    """A certificate that nobody looks at, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=bench", "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


class Rsyslog(FileWriter):
    name = "rsyslog"

    def inputs(self):
        kind = self.options.input
        if kind == "relp":
            return f'module(load="imrelp")\ninput(type="imrelp" address="127.0.0.1" port="{self.port}" maxDataSize="64k")'
        driver = globally = ""
        if kind == "tls":
            cert, key = certificate(self.folder)
            globally = (f'global(defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="{cert}" '
                        f'defaultNetstreamDriverCertFile="{cert}" defaultNetstreamDriverKeyFile="{key}")\n')
            driver = ' StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon"'
        return (f'{globally}module(load="imtcp"{driver})\nmodule(load="imudp" threads="2" batchSize="128" timeRequery="2")\n'
                f'input(type="imtcp" address="127.0.0.1" port="{self.port}" supportOctetCountedFraming="on")\n'
                f'input(type="imudp" address="127.0.0.1" port="{self.port}" rcvbufSize="4m")')

    def command(self):
        (self.folder / "rsyslog.conf").write_text(f"""
global(workDirectory="{self.folder}" maxMessageSize="64k")
main_queue(queue.type="LinkedList" queue.size="200000" queue.dequeueBatchSize="2048" queue.workerThreads="2"
           queue.timeoutEnqueue="600000" queue.timeoutShutdown="600000")
template(name="lossless" type="string" string="<%PRI%>1 %TIMESTAMP:::date-rfc3339% %HOSTNAME% %APP-NAME% %PROCID% %MSGID% %STRUCTURED-DATA% %msg:::sp-if-no-1st-sp%%msg%\\n")
{self.inputs()}
{self.output()}
""")
        return [self.options.rsyslogd, "-n", "-f", str(self.folder / "rsyslog.conf"), "-i", str(self.folder / "pid")]

    def output(self):
        return f'action(type="omfile" file="{self.file}" template="lossless" asyncWriting="off" ioBufferSize="256k")'


class SyslogNg(FileWriter):
    name = "syslog-ng"

    def command(self):
        (self.folder / "syslog-ng.conf").write_text(f"""@version: 3.38
options {{ keep-hostname(yes); use-dns(no); stats-freq(0); log-msg-size(65536); }};
source net {{ syslog(ip(127.0.0.1) port({self.port}) transport(tcp) max-connections(100) log-iw-size(100000)
  flags(no-multi-line)); }};
destination all {{ file("{self.file}" template("<${{PRI}}>1 ${{ISODATE}} ${{HOST}} ${{PROGRAM}} ${{PID}} ${{MSGID}} ${{SDATA:--}} ${{MESSAGE}}\\n")
  log-fifo-size(1000000) flush-lines(1000)); }};
log {{ source(net); destination(all); flags(flow-control); }};
""")
        return [self.options.syslog_ng, "-F", "--no-caps", "-f", str(self.folder / "syslog-ng.conf"), "-R",
                str(self.folder / "persist"), "-p", str(self.folder / "pid"), "-c", str(self.folder / "control")]


class VictoriaLogs(Daemon):
    name = "VictoriaLogs"

    def __init__(self, folder, options):
        super().__init__(folder, options)
        self.http = free_port()

    def command(self):
        return [self.options.victorialogs, f"-storageDataPath={self.data}", f"-httpListenAddr=127.0.0.1:{self.http}",
                f"-syslog.listenAddr.tcp=127.0.0.1:{self.port}", "-retentionPeriod=100y", "-futureRetention=100y"]

    def query(self, text):
        url = f"http://127.0.0.1:{self.http}/select/logsql/query?query=" + urllib.request.quote(text)
        with urllib.request.urlopen(url, timeout=120) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def committed(self):
        return int(self.query("* | count() n")[0]["n"])

    def counted_at_rest(self):
        return self.last

    def stop(self):
        self.last = self.committed()
        super().stop()

    def search(self):
        # It answers only as a daemon: its start belongs to the cold search.
        drop_from_page_cache(self.data)
        began = time.monotonic()
        self.spawn()
        hits = len(self.query(NEEDLE))
        took = time.monotonic() - began
        super().stop()
        return took, hits


class Yushid(Daemon):
    name = "yushid"

    def command(self):
        tenants = "".join(f'  - {{name: unit-{n}, match: {{cidr: ["127.{n >> 8}.{n & 255}.0/24"]}}}}\n'
                          for n in range(1, self.options.tenants + 1))
        (self.folder / "yushi.yaml").write_text(f"""node: bench
data_dir: {self.data}
inputs:
{self.inputs()}
tenants:
{tenants}api: {{socket: {self.folder}/yushi.sock}}
{self.settings()}""")
        return [str(self.options.bin / "yushid"), "--config", str(self.folder / "yushi.yaml")]

    def inputs(self):
        listen = f'listen: "127.0.0.1:{self.port}"'
        if self.options.input == "relp":
            return f"  - {{type: relp, {listen}}}"
        if self.options.input == "tls":
            cert, key = certificate(self.folder)
            return f"  - {{type: syslog, transport: tls, {listen}, framing: auto, tls: {{cert: {cert}, key: {key}}}}}"
        return f"  - {{type: syslog, transport: tcp, {listen}, framing: auto}}\n  - {{type: syslog, transport: udp, {listen}}}"

    def settings(self):
        """Further ones."""
        return ""

    def cli(self, *arguments, store=False):
        where = ["--store", str(self.data)] if store else ["--server", f"unix:{self.folder}/yushi.sock"]
        return [str(self.options.bin / "yushi"), arguments[0], *where, *arguments[1:]]

    def environment(self):
        return {**super().environment(), "XDG_STATE_HOME": str(self.folder / "state")}

    @staticmethod
    def number(text):
        # The largest number of the answer: `count()` without a `by` is its only one.
        return max((int(n) for n in re.findall(r"\d+", text)), default=0)

    def get(self, path):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(f"{self.folder}/yushi.sock")
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return b"".join(iter(lambda: s.recv(65536), b"")).decode()

    def spawn(self):
        super().spawn()
        # It listens first, that no message is lost, and opens its store then.
        until = time.monotonic() + 60
        while not self.answers():
            if time.monotonic() > until:
                raise RuntimeError("yushid does not answer on its socket")
            time.sleep(0.01)

    def answers(self):
        try:
            return " 200 " in self.get("/readyz").split("\n")[0]
        except OSError:
            return False

    def committed(self):
        # The ledger's number, from /metrics: asking for it reads no record.
        answer = self.get("/metrics")
        found = re.search(self.options.committed_metric + r"(?:\{[^}]*\})? ([0-9.e+]+)", answer)
        return int(float(found[1])) if found else 0

    def counted_at_rest(self):
        total = subprocess.run(self.cli("search", "* | stats count()", "-o", "json", store=True), capture_output=True,
                               text=True, env=self.environment())
        if total.returncode != 0:
            raise RuntimeError("yushi search --store: " + total.stderr)
        return self.number(total.stdout)

    def search_command(self):
        return self.cli("search", NEEDLE, "-o", "raw", store=True)


def flood(options, port):
    how = ["--udp", "--rate", str(options.udp)] if options.udp else [] if options.input == "tcp" else [f"--{options.input}"]
    run = subprocess.run(
        [str(options.bin / "flood"), "--port", str(port), "--count", str(options.count), "--seed", str(options.seed),
         "--connections", str(options.connections), "--tenants", str(options.tenants), "--needle", str(NEEDLES), NEEDLE,
         "--max-seconds", str(options.max_seconds), *how], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError("flood: " + run.stderr)
    return {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", run.stdout)}


def wait_committed(daemon, options):
    """Until it has all, or what it will have: nothing moved for quiet_seconds. How many it has, and since when."""
    until, last, moved = time.monotonic() + options.max_seconds, -1, time.monotonic()
    while (have := daemon.committed()) < options.count and time.monotonic() < until:
        if have != last:
            last, moved = have, time.monotonic()
        elif time.monotonic() - moved > options.quiet_seconds:
            return have, moved
        time.sleep(0.05)
    return have, time.monotonic() if have >= options.count else moved


def stop_and_reap(daemon):
    """Stops it cleanly; its whole CPU time from the kernel's last word on it."""
    before = os.times()
    daemon.stop()
    after = os.times()
    # Children's time appears when they are reaped; flood and curl were reaped before.
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return before, after, used


def print_table(results, columns):
    """columns: (key, title, format); with None the number is told in millions."""
    header = ["", *(title for _, title, _ in columns), "rate / rsyslog", "CPU / rsyslog"]
    rows = [header]
    base = results.get("rsyslog")
    for name, result in results.items():
        row = [name]
        for key, _, form in columns:
            row.append(f"{result[key] / 1e6:,.1f}" if form is None else form.format(result[key]))
        for key in ("messages_per_second", "cpu_seconds_per_million"):
            row.append(f"{result[key] / base[key]:.2f}" if base else "-")
        rows.append(row)
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    for row in rows:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))))
