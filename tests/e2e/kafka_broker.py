"""A real Kafka broker (KRaft, one node) on free loopback ports, for tests.

    with KafkaBroker(tmp_path) as broker:
        ... broker.bootstrap ...
        broker.stop(); broker.start()     # its data stays
        broker.kill()                     # SIGKILL

A Kafka that cannot be had is a failure of the test, never a skip.
"""

import base64
import os
import pathlib
import signal
import socket
import subprocess
import time
import uuid

REPO = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS_MAX = 120
STOP_SECONDS_MAX = 60


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def kafka_libs():
    fetched = subprocess.run([str(REPO / "scripts" / "fetch-kafka")], capture_output=True, text=True)
    if fetched.returncode != 0:
        raise RuntimeError("no Kafka to test against:\n" + fetched.stderr)
    return pathlib.Path(fetched.stdout.strip())


class KafkaBroker:
    def __init__(self, folder, secure=False, **properties):
        """properties: broker settings with _ for ., as in message_max_bytes=2000. Topics make themselves.

        A secure one listens on `secure_bootstrap` too, for TLS under the authority `ca` and SASL PLAIN as yushi, secret.
        """
        self.folder = pathlib.Path(folder) / "kafka"
        self.folder.mkdir(parents=True)
        self.libs = kafka_libs()
        self.port = free_port()
        self.controller_port = free_port()
        self.process = None
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.folder / "data"),
            "num.partitions": "3",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "log.flush.interval.messages": "100000000",
        }
        if secure:
            self._add_secure_listener(settings)
        settings.update({name.replace("_", "."): str(value) for name, value in properties.items()})
        self.config = self.folder / "server.properties"
        self.config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        while cluster.startswith("-"):
            cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        made = subprocess.run(
            self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self.config)),
            capture_output=True, text=True)
        if made.returncode != 0:
            raise RuntimeError("formatting Kafka's storage failed:\n" + made.stdout + made.stderr)

    def _add_secure_listener(self, settings):
        self.secure_bootstrap = f"127.0.0.1:{free_port()}"
        self.ca, key, both = (self.folder / name for name in ("ca.pem", "key.pem", "broker.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                        self.ca], check=True, capture_output=True)
        both.write_text(key.read_text() + self.ca.read_text())
        for of in ("listeners", "advertised.listeners"):
            settings[of] += f",SECURE://{self.secure_bootstrap}"
        settings["listener.security.protocol.map"] += ",SECURE:SASL_SSL"
        login = "org.apache.kafka.common.security.plain.PlainLoginModule"
        settings.update({"listener.name.secure." + name: value for name, value in {
            "ssl.keystore.type": "PEM", "ssl.keystore.location": both, "sasl.enabled.mechanisms": "PLAIN",
            "plain.sasl.jaas.config": f'{login} required user_yushi="secret";'}.items()})

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    @property
    def log(self):
        return self.folder / "broker.log"

    def _java(self, main, *arguments):
        return ["java", "-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{self.libs}/*", main, *arguments]

    def start(self):
        assert self.process is None, "the broker runs already"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self._java("kafka.Kafka", str(self.config)), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT)
        until = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError("Kafka ended at once:\n" + self._log_end())
            if self._answers():
                return self
            time.sleep(0.2)
        self.kill()
        raise RuntimeError(f"Kafka did not answer within {START_SECONDS_MAX} s:\n" + self._log_end())

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        listed = subprocess.run(["kcat", "-b", self.bootstrap, "-L", "-m", "5"], capture_output=True, text=True)
        return listed.returncode == 0 and f"broker 1 at {self.bootstrap}" in listed.stdout

    def _log_end(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])

    def stop(self):
        """As an operator stops it."""
        self._end(signal.SIGTERM)

    def kill(self):
        self._end(signal.SIGKILL)

    def _end(self, how):
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, *exception):
        self.kill()

    # What tests ask of it, by kcat: a client that is not ours.

    def produce(self, topic, lines):
        subprocess.run(["kcat", "-b", self.bootstrap, "-P", "-t", topic], input="\n".join(lines).encode(), check=True)

    def consume(self, topic, committed=False):
        """All messages that are in the topic now: (partition, offset, key, headers, value), in order per partition.

        Those of transactions that are not committed too, unless only what is `committed` is asked for.
        """
        isolation = "read_committed" if committed else "read_uncommitted"
        # Lengths stand before key, headers and value, because each may hold any byte.
        read = subprocess.run(
            ["kcat", "-b", self.bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-X",
             "topic.metadata.refresh.interval.ms=500", "-X", f"isolation.level={isolation}", "-f", "%p %o %K %S\n%k%s\n%h\n"],
            capture_output=True, timeout=300)
        if b"Unknown topic" in read.stderr:  # nobody has sent there yet
            return []
        if read.returncode != 0:
            raise RuntimeError(f"reading topic {topic} failed: {read.stderr.decode(errors='replace')}")
        return list(self._messages(read.stdout))

    @staticmethod
    def _messages(data):
        at = 0
        while at < len(data):
            line_end = data.index(b"\n", at)
            partition, offset, key_length, length = (int(n) for n in data[at:line_end].split())
            at = line_end + 1
            key_length, length = max(key_length, 0), max(length, 0)
            key, value = data[at:at + key_length], data[at + key_length:at + key_length + length]
            at += key_length + length + 1
            line_end = data.index(b"\n", at)
            # name=value,name=value; our values hold no comma
            headers = dict(pair.split("=", 1) for pair in data[at:line_end].decode().split(",") if pair)
            at = line_end + 1
            yield partition, offset, key, headers, value
