"""How yushid starts beside what is there already, and what it refuses: nobody's file or socket is taken away."""

import os
import pathlib
import socket
import stat
import subprocess

import pytest

from yushi_daemon import BIN, DEADLINE_S, Daemon


def refused(daemon):
    """Starts a daemon that must refuse; its exit code and what it said."""
    said = subprocess.run([BIN / "yushid", "--config", daemon.config], capture_output=True, text=True, timeout=DEADLINE_S * 2)
    return said.returncode, said.stderr


def test_a_file_at_the_path_of_the_api_socket_stays(tmp_path):
    daemon = Daemon(tmp_path)
    daemon.socket.write_text("precious")
    code, said = refused(daemon)
    assert code == 2
    assert str(daemon.socket) in said and "something else than a socket" in said
    assert daemon.socket.read_text() == "precious"
    assert not daemon.data.exists()


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_port_that_is_taken_is_said_before_a_store_is_made(tmp_path, kind):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        if kind == "tcp":
            holder.listen()
        listen = f"127.0.0.1:{holder.getsockname()[1]}"
        daemon = Daemon(tmp_path, f'inputs:\n  - {{type: syslog, transport: unix, path: {tmp_path}/log.sock}}\n'
                                  f'  - {{type: syslog, transport: {kind}, listen: "{listen}"}}\n')
        code, said = refused(daemon)
        line = 1 + next(i for i, text in enumerate(daemon.config.read_text().splitlines()) if listen in text)
        assert code == 2
        assert f"{daemon.config}:{line}:" in said and f"{kind} {listen}" in said and "choose another port" in said
        assert not daemon.data.exists()
        assert not (tmp_path / "log.sock").exists() and not daemon.socket.exists()
    with daemon:  # nothing stands in the way of the next start
        assert daemon.stop() == 0


def test_a_port_of_root_is_refused_to_others_with_what_to_do(tmp_path):
    daemon = Daemon(tmp_path, 'inputs:\n  - {type: syslog, transport: tcp, listen: "127.0.0.1:514"}\n')
    command = [BIN / "yushid", "--config", daemon.config]
    first_free = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if first_free <= 514:
        pytest.skip("here anyone may bind port 514")
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service", *command]
    said = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S * 2)
    assert said.returncode == 2
    assert "tcp 127.0.0.1:514" in said.stderr and "CAP_NET_BIND_SERVICE" in said.stderr
    assert not daemon.data.exists()


def test_the_api_socket_lies_in_the_data_folder_that_the_start_makes(tmp_path, monkeypatch):
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    daemon = Daemon(tmp_path)
    daemon.config.write_text(daemon.config.read_text().replace(f"{daemon.data}\napi: {{socket: {daemon.socket}}}\n", f"{daemon.data}/\n"))
    daemon.socket = daemon.data / "yushi.sock"
    with daemon:
        assert daemon.stop() == 0
    assert (daemon.data / "store").exists() and not daemon.socket.exists()


def test_the_api_socket_of_a_running_daemon_is_not_taken(tmp_path):
    with Daemon(tmp_path / "first") as first:
        second = Daemon(tmp_path / "second")
        second.config.write_text(second.config.read_text().replace(str(second.socket), str(first.socket)))
        code, said = refused(second)
        assert code == 2
        assert str(first.socket) in said and "another process listens there" in said
        first.send_tcp(["<13>1 - h app - - - still here"])
        first.wait_records(1)
        assert first.stop() == 0
    assert not first.socket.exists()


def test_a_socket_left_over_from_a_process_that_died_is_replaced(tmp_path):
    with Daemon(tmp_path) as daemon:
        daemon.kill()
        assert daemon.socket.exists()
        daemon.start()
        assert stat.S_IMODE(daemon.socket.stat().st_mode) == 0o600
        assert daemon.stop() == 0


def test_a_socket_that_came_in_our_place_stays_when_we_stop(tmp_path):
    with Daemon(tmp_path) as daemon, socket.socket(socket.AF_UNIX) as successor:
        daemon.socket.unlink()
        successor.bind(str(daemon.socket))
        assert daemon.stop() == 0
        assert daemon.socket.exists()


def test_a_second_daemon_on_one_store_is_refused_plainly(tmp_path):
    with Daemon(tmp_path / "first") as first:
        second = Daemon(tmp_path / "second")
        second.config.write_text(second.config.read_text().replace(str(second.data), str(first.data)))
        code, said = refused(second)
        assert code == 3
        assert "another yushid runs on" in said and str(first.data) in said
        assert not second.socket.exists()  # it was bound before the store


def test_a_store_that_is_gone_beside_its_heads_is_refused_and_nothing_is_made_in_its_place(tmp_path):
    with Daemon(tmp_path) as daemon:
        daemon.send_tcp(["<13>1 - h app - - - one"])
        daemon.wait_records(1)
        assert daemon.stop() == 0
    kept = daemon.data / "store.kept"
    (daemon.data / "store").rename(kept)
    for _ in range(2):
        there = sorted(daemon.data.rglob("*"))
        code, said = refused(daemon)
        assert code == 3
        assert "deleted or replaced" in said
        assert sorted(daemon.data.rglob("*")) == there
    kept.rename(daemon.data / "store")  # put back, it is taken up as it was
    with daemon:
        assert daemon.records() == 1
        assert daemon.stop() == 0


def test_no_other_user_can_read_what_the_daemon_makes_whatever_umask_it_was_started_with(tmp_path):
    daemon = Daemon(tmp_path, f'inputs:\n  - {{type: syslog, transport: tcp, listen: "127.0.0.1:0"}}\n'
                              f'  - {{type: syslog, transport: unix, path: {tmp_path}/log.sock}}\n')
    before = os.umask(0o022)
    try:
        daemon.start()
    finally:
        os.umask(before)
    with_daemon = stat.S_IMODE((tmp_path / "log.sock").stat().st_mode), stat.S_IMODE(daemon.socket.stat().st_mode)
    daemon.send_tcp(["<13>1 - h app - - - one"])
    daemon.wait_records(1)
    assert daemon.stop() == 0
    made = [daemon.data, *daemon.data.rglob("*")]
    assert any(path.suffix == ".sst" for path in made)
    assert [path for path in made if path.lstat().st_mode & 0o077] == []
    assert with_daemon == (0o666, 0o600)  # anyone may log, as to /dev/log


def test_a_config_folder_that_its_user_may_not_enter_is_named():
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    # An /etc of this process's own, where only root enters /etc/yushi.
    setup = "mount -t tmpfs tmpfs /etc && mkdir -m 700 /etc/yushi && exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$0\""
    said = subprocess.run(["unshare", "-m", "sh", "-c", setup, BIN / "yushid"], capture_output=True, text=True,
                          timeout=DEADLINE_S * 2)
    if "mount:" in said.stderr or "unshare:" in said.stderr:
        pytest.skip(f"no mount of one's own here: {said.stderr}")
    assert said.returncode == 2
    assert said.stderr.startswith("/etc/yushi/yushi.yaml: Permission denied;") and "--config" in said.stderr


def test_a_store_that_its_asker_may_not_read_is_not_called_damaged(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with Daemon(tmp_path) as daemon:
        assert daemon.stop() == 0
    said = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", BIN / "yushi", "search", "*",
                           "--store", daemon.data], capture_output=True, text=True, timeout=DEADLINE_S)
    assert said.returncode == 2 and "Permission denied; ask as the user" in said.stderr and "gone" not in said.stderr, said.stderr


def test_a_first_start_that_was_cut_short_is_begun_anew(tmp_path):
    daemon = Daemon(tmp_path)
    store = daemon.data / "store"
    store.mkdir(parents=True)
    for name in ("IDENTITY", "LOCK", "MANIFEST-000001", "000004.log"):
        (store / name).touch()
    with daemon:
        assert "begun anew" in (daemon.folder / "yushid.log").read_text()
        assert daemon.stop() == 0
    (daemon.data / "heads").unlink()
    (store / "CURRENT").unlink()  # this one may have held records
    code, said = refused(daemon)
    assert code == 3 and "CURRENT" in said and "copy" in said
