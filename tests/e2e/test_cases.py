"""tests/cases/cli/*.txt and tests/cases/api/*.txt: a question, and the whole answer, byte for byte.

    # Says what the case is about.
    lines lines.txt                       what the daemon of this file is sent over TCP, from a file beside it
    config tenants: [...]                 lines of its config, beyond data_dir, api and inputs
    wait 2                                seconds, before what follows

    $ TZ=Asia/Shanghai yushi search escape -o table
    < a line of its standard input
    exit 0
    | a line of its standard output
    ! a line of its standard error

    GET /api/v1/search?query=%zz
    400 application/json
    allow: GET                            where the answer has it; of HEAD its content-length too
    | a line of the body

Bytes that are no printable UTF-8 stand as \\xNN; a backslash that would read so is doubled. Where the last line has no line
feed, `|\\ no line feed` follows.
What no case can know has a name: <now> a time since the daemon's start, <data>, <state> and <tmp> folders, <root> and
<signature> of a checkpoint. A command that asks a daemon is given the daemon's socket. YUSHI_REWRITE=1 writes down what is
answered; the diff is to be read like code.
"""

import datetime
import os
import pathlib
import re
import shlex
import time

import pytest

from yushi_daemon import ROOT, Daemon, yushi

CASES = ROOT / "tests/cases"
ASK_A_DAEMON = ("search", "hist", "alerts", "sources", "status", "verify", "checkpoint")


def bytes_of(text):
    """What a line of a file stands for."""
    def one(found):
        slashes, code = found[1], found[2]
        kept = slashes[:len(slashes) // 2]
        return kept + (bytes([int(code, 16)]) if len(slashes) % 2 else b"x" + code)
    return re.sub(rb"(\\+)x([0-9a-f]{2})", one, text.encode())


def text_of(data):
    """One line of a file; bytes_of() gives the bytes back."""
    text = data.decode("utf-8", "surrogateescape")
    text = "".join(c if c.isprintable() else "".join(f"\0x{byte:02x}" for byte in c.encode("utf-8", "surrogateescape")) for c in text)
    return re.sub(r"\\(?=\\*\0?x[0-9a-f]{2})", r"\\\\", text).replace("\0", "\\")


class Names:
    """Puts a name in the place of what differs from run to run."""

    def __init__(self, daemon, folder):
        self.began = datetime.datetime.now(datetime.timezone.utc)
        self.folders = {"<data>": daemon.data, "<state>": daemon.state, "<tmp>": folder}

    def known(self, text):
        for name, folder in self.folders.items():
            text = text.replace(name, str(folder))
        return text

    def put(self, data):
        for name, folder in self.folders.items():
            data = data.replace(str(folder).encode(), name.encode())
        data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", self._time, data)
        data = re.sub(rb"(?m)^[A-Za-z0-9+/]{43}=$", b"<root>", data)
        return re.sub(rb"(?m)^(\xe2\x80\x94 \S+) [A-Za-z0-9+/]+=*$", rb"\1 <signature>", data)

    def _time(self, found):
        time = datetime.datetime.fromisoformat(found[0][:19].decode() + "+00:00")
        second = datetime.timedelta(seconds=1)
        return b"<now>" if self.began - second <= time <= datetime.datetime.now(datetime.timezone.utc) + second else found[0]


def lines_with(prefix, data):
    if not data:
        return []
    ended = data.endswith(b"\n")
    lines = [f"{prefix} {text_of(line)}" if line else prefix for line in (data[:-1] if ended else data).split(b"\n")]
    return lines if ended else [*lines, prefix + "\\ no line feed"]


def ask_command(daemon, names, command, stdin):
    words = [names.known(word) for word in shlex.split(command)]
    env = {}
    while "=" in words[0]:
        name, _, env_value = words.pop(0).partition("=")
        env[name] = env_value
    assert words[0] == "yushi", command
    asks = len(words) > 1 and words[1] in ASK_A_DAEMON and not {"--store", "--server"} & set(words)
    ask = daemon.yushi if asks else lambda *args, **kwargs: yushi(*args, state=daemon.state, **kwargs)
    answer = ask(*words[1:], env=env, stdin=stdin)
    err = answer.err.encode("utf-8", "replace")
    return [f"exit {answer.code}"] + lines_with("|", names.put(answer.out)) + lines_with("!", names.put(err))


def ask_api(daemon, names, method, target):
    reply = daemon.http(target, method)
    said = [f"{reply.code} {reply.headers['content-type']}"]
    if "allow" in reply.headers:
        said.append("allow: " + reply.headers["allow"])
    if method == "HEAD":
        said.append("content-length: " + reply.headers["content-length"])
    return said + lines_with("|", names.put(reply.body))


def run_cases(path, folder):
    """The file as it should be, by what is answered."""
    written = path.read_text(encoding="utf-8").splitlines()
    sent = [bytes_of(line) for word in written if word.startswith("lines ")
            for line in (path.parent / word.split()[1]).read_text(encoding="utf-8").splitlines()]
    config = "".join(line.removeprefix("config ") + "\n" for line in written if line.startswith("config "))
    out, number = [], 0
    with Daemon(folder / "daemon", config) as daemon:
        names = Names(daemon, folder)
        if sent:
            daemon.send_tcp(sent)
            daemon.wait_records(len(sent))
        while number < len(written):
            line = written[number]
            out.append(line)
            number += 1
            if not re.match(r"\$ |[A-Z]+ (/|http:|HTTP:)", line):
                assert not line or line.startswith(("# ", "lines ", "config ", "wait ")), f"{path}:{number}: {line}"
                if line.startswith("wait "):
                    time.sleep(float(line.split()[1]))
                continue
            stdin = b""
            while number < len(written) and written[number].startswith("<"):
                out.append(written[number])
                stdin += bytes_of(written[number][2:]) + b"\n"
                number += 1
            while number < len(written) and re.match(r"[|!]|exit \d|\d{3} |allow: |content-length: ", written[number]):
                number += 1  # what is expected
            if line.startswith("$ "):
                out += ask_command(daemon, names, line[2:], stdin)
            else:
                out += ask_api(daemon, names, *line.split(" ", 1))
    return out


@pytest.mark.parametrize("path", [path for kind in ("cli", "api") for path in sorted((CASES / kind).glob("*.txt"))
                                  if not path.name.startswith("lines")], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_each_answer_is_the_one_that_is_written_down(path, tmp_path):
    answered = run_cases(path, tmp_path)
    if "YUSHI_REWRITE" in os.environ:
        path.write_text("\n".join(answered) + "\n", encoding="utf-8")
    assert answered == path.read_text(encoding="utf-8").splitlines(), path


def test_bytes_are_written_so_that_they_come_back():
    for data in (b"plain", b"\x00\x1b[31m", b"a\\b", b"\\", b"\\xyz", b"\\\x1b", b"\\\\\x00", b"\\x41", b"\\\\x41", b"\\\\\\x41",
                 "登录".encode(), "登录".encode("gb18030"), b"\xe2\x80\xae"):
        assert bytes_of(text_of(data)) == data, data
    assert bytes_of("\\x41") == b"A"
