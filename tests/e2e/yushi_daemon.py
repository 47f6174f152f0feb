"""A real yushid on a data folder and free ports of its own, and the real CLI beside it."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import typing

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("YUSHI_BIN", ROOT / "build/release/bin"))
DEADLINE_S = 60  # for what takes well under a second on an idle machine


class Answer:
    """What one call of the CLI gave."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr.decode(errors="replace")

    @property
    def text(self):
        return self.out.decode()

    @property
    def lines(self):
        return self.text.splitlines()

    @property
    def objects(self):
        return [json.loads(line) for line in self.out.splitlines()]


def yushi(*args, env=None, stdin=b"", state=None):
    """Runs the CLI; `state` is the folder where it remembers checkpoints."""
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8", **(env or {})}
    if state:
        environment["XDG_STATE_HOME"] = str(state)
    done = subprocess.run([BIN / "yushi", *map(str, args)], input=stdin, capture_output=True, env=environment, timeout=600)
    return Answer(done)


class Reply(typing.NamedTuple):
    code: int
    headers: typing.Mapping[str, str]  # names in any case
    body: bytes


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("e2e", timeout=DEADLINE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Daemon:
    """`config` is YAML beyond data_dir, api and inputs; the inputs are TCP and UDP on free ports unless it has its own."""

    def __init__(self, folder, config="", program=BIN / "yushid"):
        self.program = program
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.state = self.folder / "state"
        self.socket = self.folder / "api.sock"
        self.config = self.folder / "yushi.yaml"
        inputs = "" if "inputs:" in config else (
            'inputs:\n  - {type: syslog, transport: tcp, listen: "127.0.0.1:0"}\n'
            '  - {type: syslog, transport: udp, listen: "127.0.0.1:0"}\n')
        node = "" if "node:" in config else "node: e2e\n"
        self.config.write_text(f"{node}data_dir: {self.data}\napi: {{socket: {self.socket}}}\n{inputs}{config}")
        self.process = None

    # ------------------------------------------------------------------------------------------------- life and death

    def start(self):
        self.log = open(self.folder / "yushid.log", "ab")
        self.process = subprocess.Popen([self.program, "--config", self.config], stderr=self.log, stdout=self.log)
        self._wait(lambda: self.http("/healthz").code == 200, "to answer")
        return self

    def stop(self):
        """A clean stop; the exit code."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(DEADLINE_S * 2)
        self.process = None
        return code

    def pause(self):
        """Stops each of its threads where it is, until SIGCONT: one that still runs for a moment after the signal takes what is sent then."""
        self.process.send_signal(signal.SIGSTOP)
        until = time.monotonic() + DEADLINE_S
        while set(self.thread_states()) != {"T"}:
            assert time.monotonic() < until, "a thread does not stop"
            time.sleep(0.01)

    def thread_states(self):
        for stat in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/stat"):
            with contextlib.suppress(OSError):  # it has ended since
                yield stat.read_text().rpartition(") ")[2][0]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.kill()

    # -------------------------------------------------------------------------------------------------------- sending

    def port(self, transport):
        status = self.status()
        for said in status["inputs"]:
            if said["name"].startswith(transport):
                return said["port"]
        raise AssertionError(f"no {transport} input in {status}")

    def send_tcp(self, lines, source="127.0.0.1"):
        """Newline-framed; bytes or text. Returns when the peer has taken all and closed."""
        with socket.create_connection(("127.0.0.1", self.port("tcp")), source_address=(source, 0)) as connection:
            connection.sendall(b"".join(_bytes(line) + b"\n" for line in lines))

    def send_udp(self, lines):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for line in lines:
                sender.sendto(_bytes(line), ("127.0.0.1", self.port("udp")))

    # --------------------------------------------------------------------------------------------------------- asking

    def yushi(self, *args, **kwargs):
        kwargs.setdefault("state", self.state)
        return yushi(*args, "--server", f"unix:{self.socket}", **kwargs)

    def status(self):
        """The daemon's own line of `status`."""
        body = self.http("/api/v1/status").body
        for line in body.splitlines():
            if line.startswith(b'{"node"'):
                return json.loads(line)
        raise AssertionError(f"no status in {body!r}")

    def records(self, log="default"):
        """How many records the log holds, as `yushi status` says."""
        answer = self.yushi("status", "-o", "json")
        assert answer.code in (0, 1), answer.err  # 1: something is not as it should be
        return next((said["records"] for said in answer.objects if said.get("log") == log), 0)

    def wait_records(self, count, log="default"):
        self._wait(lambda: self.records(log) >= count, f"to commit {count} records in {log}")
        assert self.records(log) == count

    def http(self, target, method="GET"):
        """One request to the API's socket, by no code of ours; code 0 where nobody answers, or not to the end."""
        connection = _UnixConnection(self.socket)
        try:
            connection.request(method, target)
            said = connection.getresponse()
            return Reply(said.status, said.headers, said.read())
        except (OSError, http.client.HTTPException):
            return Reply(0, {}, b"")
        finally:
            connection.close()

    def search(self, *args):
        answer = self.yushi("search", *args, "-o", "json")
        assert answer.code in (0, 1), answer.err
        return answer.objects

    def _wait(self, holds, what):
        until = time.monotonic() + DEADLINE_S
        while not holds():
            assert self.process.poll() is None, f"yushid ended: {(self.folder / 'yushid.log').read_text()}"
            assert time.monotonic() < until, f"waited {DEADLINE_S} s for yushid {what}"
            time.sleep(0.05)


def _bytes(line):
    return line if isinstance(line, bytes) else line.encode()
