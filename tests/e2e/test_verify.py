"""What the CLI proves, and what it sees: hashes and signatures, damage, and stores that contradict what it remembers."""

import base64
import calendar
import hashlib
import itertools
import json
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from yushi_daemon import BIN, Daemon, yushi

LINES = [b"<13>1 2026-11-01T08:00:0%dZ h app - - - number %d" % (i, i) for i in range(5)]
LINES.append(b"<13>1 2026-11-01T10:00:00Z db1 app - - - escape \x1b[31mred \x00 nul \xff")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("verify")) as running:
        running.send_tcp(LINES)
        running.wait_records(len(LINES))
        yield running


def climbs(leaf, at, count, path):
    """The root to which the path of RFC 9162 leads from the leaf at that place of so many."""
    sha = lambda data: hashlib.sha256(data).digest()
    last, node = count - 1, sha(b"\0" + leaf)
    for sibling in map(base64.b64decode, path):
        if at % 2 or at == last:
            node = sha(b"\1" + sibling + node)
            while at and not at % 2:
                at, last = at // 2, last // 2
        else:
            node = sha(b"\1" + node + sibling)
        at, last = at // 2, last // 2
    assert last == 0
    return base64.b64encode(node).decode()


def test_verify_proves_all(daemon):
    answer = daemon.yushi("verify")
    assert answer.code == 0, answer.text + answer.err
    assert "all proved" in answer.text


def test_a_proof_of_inclusion_leads_from_the_raw_bytes_to_the_signed_root(daemon):
    """By hand, with hashlib alone: the leaf from raw and entry, up the path of RFC 9162, to the checkpoint's root."""
    sha = lambda data: hashlib.sha256(data).digest()
    note = daemon.yushi("checkpoint", "default").lines
    size = int(note[1])
    for index, raw in enumerate(LINES):
        body = daemon.http(f"/api/v1/proof?id=default/{index}&size={size}").body
        proof = next(json.loads(line) for line in body.splitlines() if line.startswith(b'{"log"'))
        record = next(r for r in daemon.search("*") if r["event"]["id"] == f"default/{index}")
        created = record["event"]["created"]
        whole, _, fraction = created.rstrip("Z").partition(".")
        seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
        received = seconds * 10**9 + int(fraction.ljust(9, "0"))
        # The last one names another host than the sender did before: that is under the hash too.
        transport = "tcp+host-unconfirmed" if record["yushi"].get("host") else "tcp"
        assert (transport != "tcp") == (index == len(LINES) - 1)
        entry = f"{received} 127.0.0.1 {index} {transport} {hashlib.sha256(raw).hexdigest()}".encode()
        assert base64.b64decode(proof["leaf"]) == sha(b"\0" + entry)
        assert climbs(entry, index, size, proof["hashes"]) == note[2]


def test_a_unit_is_shown_that_its_log_is_bound_without_the_names_of_others(tmp_path):
    units = [f"unit{i}" for i in range(2, 7)]
    config = "tenants:\n" + "".join(f'  - {{name: {unit}, match: {{cidr: ["127.0.0.{unit[4:]}/32"]}}}}\n' for unit in units)
    with Daemon(tmp_path / "bound", config) as running:
        for unit in units:
            running.send_tcp([f"<13>1 2026-11-01T08:00:00Z h app - - - of {unit}"], source=f"127.0.0.{unit[4:]}")
            running.wait_records(1, unit)
        running.yushi("checkpoint")  # signs
        for unit in units:
            body = running.http(f"/api/v1/bound?log={unit}").body
            said = next(json.loads(line) for line in body.splitlines() if line.startswith(b'{"log"'))
            assert not [other for other in units if other != unit and other in json.dumps(said)]
            origin, size, root = said["note"].splitlines()[:3]
            assert origin == f"e2e/{unit}" and said["leaf"] == f"{unit} {size} {root}" and said["logs"] == len(units)
            # Up to the root over all logs, which the record states, which stands under the checkpoint of `_audit`.
            record = said["record"]
            bound = json.loads(record["raw"])["yushi"]["roots"]
            assert bound["root"] == climbs(said["leaf"].encode(), said["place"], said["logs"], said["hashes"])
            assert record["entry"].endswith(" " + hashlib.sha256(record["raw"].encode()).hexdigest())
            origin, size, root = record["note"].splitlines()[:3]
            assert origin == "e2e/_audit" and record["id"] == f"_audit/{int(size) - 1}"
            assert root == climbs(record["entry"].encode(), int(size) - 1, int(size), record["hashes"])
        assert running.http("/api/v1/bound?log=_audit").code == 400
        assert running.yushi("verify").code == 0


def test_a_damaged_block_makes_an_answer_incomplete_and_is_named(tmp_path):
    running = Daemon(tmp_path / "damaged")
    with running:
        # Digests do not compress: this block is by far the largest blob.
        running.send_tcp("<13>1 2026-11-01T08:00:00Z h app - - - " + hashlib.sha256(bytes([i % 250, i // 250])).hexdigest()
                         for i in range(1000))
        running.wait_records(1000)
        assert running.stop() == 0  # seals
    fresh = tmp_path / "fresh"
    assert len(yushi("search", "*", "--store", running.data, state=fresh).out.splitlines()) == 1000
    blobs = sorted((running.data / "store").glob("*.blob"), key=lambda path: path.stat().st_size)
    assert blobs
    damaged = bytearray(blobs[-1].read_bytes())
    damaged[len(damaged) // 2] ^= 1
    blobs[-1].write_bytes(damaged)
    answer = yushi("search", "*", "--store", running.data, state=tmp_path / "fresh2")
    assert answer.code == 3 and "missing: " in answer.err and "default/0" in answer.err
    assert yushi("verify", "--store", running.data, state=tmp_path / "fresh2").code == 4


def test_a_follower_does_not_pass_over_a_damaged_block(tmp_path):
    running = Daemon(tmp_path / "damaged")
    with running:
        for part in range(2):  # two blocks: a start reads the last one
            running.send_tcp("<13>1 2026-11-01T08:00:00Z h app - - - " + hashlib.sha256(bytes([part, i % 250, i // 250])).hexdigest()
                             for i in range(1000 + 200 * (1 - part)))
            running.wait_records(1200 + 1000 * part)
            assert running.stop() == 0  # seals
            running.start()
        assert running.yushi("search", "*", "-n", "1").code == 0  # from here on what is remembered is of now
        largest = max((running.data / "store").glob("*.blob"), key=lambda path: path.stat().st_size)
        with largest.open("r+b") as blob:
            blob.seek(largest.stat().st_size // 2)
            byte = blob.read(1)[0]
            blob.seek(-1, 1)
            blob.write(bytes([byte ^ 1]))
        answer = running.yushi("search", "-f", "*", "--since", "2026-11-01")
        assert answer.code == 3 and "default/0" in answer.err and "is gone" not in answer.err, answer.err


def test_a_proof_that_damage_prevents_is_no_contradiction(tmp_path):
    running = Daemon(tmp_path / "damaged")
    digests = lambda n: ["<13>1 2026-11-01T08:00:00Z h app - - - " + hashlib.sha256(bytes([n, i % 250, i // 250])).hexdigest()
                         for i in range(1000)]
    with running:
        running.send_tcp(digests(0))
        running.wait_records(1000)
        assert running.stop() == 0  # seals
    assert yushi("status", "--store", running.data, state=tmp_path / "seen").code == 0
    with running:
        running.send_tcp(digests(1))
        running.wait_records(2000)
        assert running.stop() == 0
    for blob in (running.data / "store").glob("*.blob"):
        bytes_of = bytearray(blob.read_bytes())
        if len(bytes_of) > 30000:  # the two blocks of digests
            bytes_of[len(bytes_of) // 2] ^= 1
            blob.write_bytes(bytes_of)
    for ask in (["status"], ["search", "digest_of_nothing"]):
        answer = yushi(*ask, "--store", running.data, state=tmp_path / "seen")
        assert answer.code == 4, answer.err
        assert "DAMAGED" in answer.err and "e2e/default" in answer.err and "yushi verify" in answer.err
        assert "contradicts" not in answer.err and "move these files away" not in answer.err, answer.err


def test_a_key_that_is_damaged_or_another_is_named(tmp_path):
    running = Daemon(tmp_path / "keys")
    with running:
        running.send_tcp(LINES)
        running.wait_records(len(LINES))
        assert running.stop() == 0
    other = Daemon(tmp_path / "other")
    with other:
        assert other.stop() == 0
    state = tmp_path / "state"
    key = running.data / "keys" / "node.pem"
    own = key.read_bytes()
    flipped = bytearray(own)
    flipped[60] ^= 1
    for wrong in (bytes(flipped), (other.data / "keys" / "node.pem").read_bytes()):
        key.write_bytes(wrong)
        answer = yushi("verify", "--store", running.data, state=state)
        assert answer.code == 4 and str(key) in answer.text, answer.text
    key.unlink()  # an evidence copy goes without it
    assert yushi("verify", "--store", running.data, state=state).code == 0
    key.write_bytes(own)
    with running:
        key.write_bytes(flipped)
        answer = running.yushi("verify")
        assert answer.code == 4 and str(key) in answer.text, answer.text


# ------------------------------------------------------------------------------------------------- what was remembered


def seen_long_ago(state):
    """What is remembered was seen two hours ago: of what is seen in one minute the newest alone is kept."""
    for file in (state / "yushi" / "checkpoints").glob("e2e*"):
        file.write_text(re.sub(r"^seen (\d+)$", lambda found: f"seen {int(found[1]) - 7200}", file.read_text(), flags=re.M))


def test_a_store_rolled_back_to_an_old_copy_is_seen(tmp_path):
    running = Daemon(tmp_path / "rolled")
    with running:
        running.send_tcp(LINES[:2])
        running.wait_records(2)
        assert running.yushi("search", "*").code == 0
        assert running.stop() == 0
    shutil.copytree(running.data, tmp_path / "yesterday")
    seen_long_ago(running.state)
    with running:
        running.send_tcp(LINES[2:])
        running.wait_records(len(LINES))
        assert running.yushi("search", "*").code == 0
        assert running.stop() == 0
    assert yushi("search", "*", "--store", running.data, state=running.state).code == 0
    # As a copy it is only old: nothing in it contradicts what was seen.
    for ask in (["search", "*"], ["verify"]):
        answer = yushi(*ask, "--store", tmp_path / "yesterday", state=running.state)
        assert answer.code == 3 and "this copy has 2 of the 6 records" in answer.err, answer.text + answer.err
        assert "complete to 20" in answer.err and "nothing contradicts" in answer.err, answer.err
    # Where it is what the daemon answers from, it was rolled back.
    shutil.rmtree(running.data)
    shutil.copytree(tmp_path / "yesterday", running.data)
    with running:
        answer = running.yushi("search", "*")
        assert answer.code == 4 and "e2e/default" in answer.err


def test_a_file_elsewhere_shows_a_rollback_whose_daemon_writes_on_in_it(tmp_path):
    kept = tmp_path / "kept"
    running = Daemon(tmp_path / "own", f"checkpoints: {{files: [{kept}]}}\n")
    asked = itertools.count()
    verify = lambda: running.yushi("verify", "--notes", kept, state=tmp_path / f"fresh-{next(asked)}")
    with running:
        running.send_tcp(LINES[:2])
        running.wait_records(2)
        assert running.stop() == 0
    shutil.copytree(running.data, tmp_path / "yesterday")
    kept.write_bytes(kept.read_bytes() + b"e2e/default 2 cut-short")  # as a crash leaves it
    with running:
        running.send_tcp(LINES[2:4])
        running.wait_records(4)
        answer = verify()
        assert answer.code == 0 and "passed over" in answer.err, answer.text + answer.err
        assert running.stop() == 0
    # The copy is what the daemon goes on from. It signs, and appends that too; here nobody remembers.
    running.state = tmp_path / "nothing"
    shutil.rmtree(running.data)
    shutil.copytree(tmp_path / "yesterday", running.data)
    with running:
        running.yushi("checkpoint")
        answer = verify()
        assert answer.code == 4 and "speaks of 4 records, the log has 2" in answer.text, answer.text + answer.err
        running.send_tcp(LINES)
        running.wait_records(2 + len(LINES))
        answer = verify()
        assert answer.code == 4 and "signed root at size 4" in answer.text, answer.text + answer.err
        assert running.stop() == 0
    # A copy is held to each of them that it covers.
    answer = yushi("verify", "--store", tmp_path / "yesterday", "--notes", kept, state=tmp_path / "other")
    assert answer.code == 3 and "has 2 of the" in answer.err, answer.text + answer.err


def test_an_old_copy_that_was_changed_contradicts_what_was_seen(tmp_path):
    running, forged = Daemon(tmp_path / "own"), Daemon(tmp_path / "forged")
    with running:
        running.send_tcp(LINES[:2])
        running.wait_records(2)
        assert running.yushi("search", "*").code == 0
        seen_long_ago(running.state)
        running.send_tcp(LINES[2:])
        running.wait_records(len(LINES))
        time.sleep(1.1)
        assert running.yushi("search", "*").code == 0
    (forged.data / "keys").mkdir(parents=True)
    shutil.copy(running.data / "keys" / "node.pem", forged.data / "keys" / "node.pem")
    with forged:
        forged.send_tcp(LINES[1:4])
        forged.wait_records(3)
        assert forged.stop() == 0
    for ask in (["search", "*"], ["verify"]):
        answer = yushi(*ask, "--store", forged.data, state=running.state)
        assert answer.code == 4, answer.text + answer.err


def test_a_backup_is_whole_and_a_cut_store_says_what_it_lacks(tmp_path):
    running = Daemon(tmp_path / "own")
    copy = tmp_path / "copy"
    with running:
        running.send_tcp(LINES)
        running.wait_records(len(LINES))
        answer = running.yushi("backup", copy)
        assert answer.code == 0 and str(copy) in answer.text, answer.text + answer.err
        assert running.yushi("backup", copy).code == 2  # it is there already
        running.send_tcp(LINES)
        running.wait_records(2 * len(LINES))
        running.yushi("checkpoint")
        running.kill()
    assert yushi("verify", "--store", copy, state=tmp_path / "fresh").code == 0
    answer = yushi("search", "*", "-o", "raw", "--store", copy, state=tmp_path / "fresh")
    assert answer.code == 0 and len(answer.out.splitlines()) == len(LINES)
    assert not (copy / "keys").exists()
    # Without its newest log of RocksDB's it opens, and looks whole.
    for wal in (running.data / "store").glob("*.log"):
        wal.unlink()
    for ask in (["search", "*"], ["status"], ["sources"]):
        answer = yushi(*ask, "--store", running.data, state=tmp_path / "fresh2")
        assert answer.code in (2, 3), answer.err
        assert answer.code == 2 or "which were signed" in answer.err, answer.err
    # Whatever is asked of one that is shorter than its heads says what it lacks.
    shutil.copy(running.data / "heads", copy / "heads")
    for ask in (["search", "*"], ["hist", "*"], ["alerts", "list"], ["sources"], ["status"], ["checkpoint"]):
        answer = yushi(*ask, "--store", copy, state=tmp_path / "fresh3")
        assert answer.code == 3 and "which were signed" in answer.err, (ask, answer.out, answer.err)


@pytest.mark.parametrize("what", ["blob", "CURRENT"])
def test_a_damaged_store_is_repaired_from_a_copy_and_goes_on(tmp_path, what):
    def lines(part):
        return ["<13>1 2026-11-01T08:00:00Z h app - - - " + hashlib.sha256(b"%d %d" % (part, i)).hexdigest() for i in range(1000)]

    running = Daemon(tmp_path / "own")
    copy = tmp_path / "copy"
    with running:
        running.send_tcp(lines(0))
        running.wait_records(1000)
        assert running.stop() == 0  # seals
        running.start()
        assert running.yushi("backup", tmp_path / "linked").code == 0
        shutil.copytree(tmp_path / "linked", copy)  # on another disk
        blobs = set((running.data / "store").glob("*.blob"))
        running.send_tcp(lines(1))
        running.wait_records(2000)
        answer = yushi("repair", "--store", running.data, "--from", copy, state=running.state)
        assert answer.code == 2 and "another yushid runs" in answer.err, answer.err
        assert running.stop() == 0
        if what == "blob":
            largest = max(blobs, key=lambda path: path.stat().st_size)
            damaged = bytearray(largest.read_bytes())
            damaged[len(damaged) // 2] ^= 1
            largest.write_bytes(damaged)
        else:
            (running.data / "store" / "CURRENT").unlink()
        assert yushi("verify", "--store", running.data, state=tmp_path / "fresh").code != 0
        answer = yushi("repair", "--store", running.data, "--from", copy, state=tmp_path / "fresh")
        assert answer.code == 0, answer.text + answer.err
        assert ("store.damaged" in answer.text) == (what != "blob"), answer.text
        assert yushi("verify", "--store", running.data, state=running.state).code == 0
        running.start()
        running.send_tcp(lines(2))
        running.wait_records(3000)
        answer = running.yushi("search", "*", "-o", "raw")
        assert answer.code == 0 and len(set(answer.out.splitlines())) == 3000
        assert running.yushi("verify").code == 0


def test_another_store_under_the_same_name_is_seen(tmp_path):
    first, second = Daemon(tmp_path / "first"), Daemon(tmp_path / "second")
    with first:
        first.send_tcp(LINES)
        first.wait_records(len(LINES))
        assert first.yushi("search", "*").code == 0
    with second:
        second.send_tcp(LINES + LINES)
        second.wait_records(2 * len(LINES))
        answer = second.yushi("search", "*", state=first.state)
        assert answer.code == 4 and "key changed" in answer.err
        # It says which files remember the first store, and to move them away if the second is there knowingly.
        files = {pathlib.Path(path) for path in re.findall(r"remembered in (\S+)", answer.err)}
        assert {path.name for path in files} == {"e2e%2fdefault", "e2e%2f_audit"}
        assert "move these files away" in answer.err
        for path in files:
            path.rename(tmp_path / path.name)
        assert second.yushi("search", "*", state=first.state).code == 0
        assert second.yushi("search", "*", state=first.state).code == 0


def test_history_rewritten_with_the_same_key_is_seen(tmp_path):
    first, second = Daemon(tmp_path / "first"), Daemon(tmp_path / "second")
    with first:
        first.send_tcp(LINES)
        first.wait_records(len(LINES))
        assert first.yushi("search", "*").code == 0
        assert first.stop() == 0
    (second.data / "keys").mkdir(parents=True)
    shutil.copy(first.data / "keys" / "node.pem", second.data / "keys" / "node.pem")
    with second:
        second.send_tcp(LINES + LINES)
        second.wait_records(2 * len(LINES))
        answer = second.yushi("search", "*", state=first.state)
        assert answer.code == 4 and "rewritten" in answer.err


def test_a_log_that_grew_is_proved_and_remembered(daemon, tmp_path):
    state = tmp_path / "grown"
    assert daemon.yushi("search", "*", state=state).code == 0
    notes = {path.name: path.read_text() for path in (state / "yushi" / "checkpoints").iterdir()}
    assert any(name == "e2e%2fdefault" and "e2e/default\n" in note for name, note in notes.items())
    for _ in range(3):  # each question makes `_audit` grow
        assert daemon.yushi("search", "*", state=state).code == 0
        time.sleep(1.1)
    after = (state / "yushi" / "checkpoints" / "e2e%2f_audit").read_text()
    assert after != notes.get("e2e%2f_audit")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x00" * 200, None])
def test_a_damaged_file_of_what_is_remembered_is_named(daemon, tmp_path, content):
    assert daemon.yushi("search", "*", state=tmp_path).code == 0
    file = tmp_path / "yushi" / "checkpoints" / "e2e%2fdefault"
    file.write_bytes(file.read_bytes()[:-8] if content is None else content)
    for _ in range(2):
        answer = daemon.yushi("search", "*", state=tmp_path)
        assert answer.code == 4 and str(file) in answer.err and "REMEMBERED IS DAMAGED" in answer.err, answer.err
        assert "move them away" in answer.err and "key changed" not in answer.err and "INTEGRITY" not in answer.err
        assert "_audit" not in answer.err
    file.unlink()
    assert daemon.yushi("search", "*", state=tmp_path).code == 0


def test_a_new_key_takes_over_by_the_word_of_the_old_one(tmp_path):
    running = Daemon(tmp_path / "own")
    with running:
        running.send_tcp(LINES)
        running.wait_records(len(LINES))
        assert running.yushi("search", "*").code == 0
        assert running.stop() == 0
    old = (running.data / "keys" / "node.pem").read_bytes()
    shutil.copytree(running.data, tmp_path / "before")
    seen_long_ago(running.state)
    for _ in range(2):
        done = subprocess.run([BIN / "yushid", "--config", running.config, "--rotate-key"], capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
    assert (running.data / "keys" / "node.pem").read_bytes() != old
    assert not (running.data / "keys" / "node.pem.next").exists()
    assert yushi("verify", "--store", running.data, state=tmp_path / "fresh").code == 0
    with running:
        # Who knew the old key is shown how it handed over.
        running.send_tcp(LINES)
        running.wait_records(2 * len(LINES))
        for state in (running.state, tmp_path / "new"):
            answer = running.yushi("search", "*", state=state)
            assert answer.code == 0, answer.err
        assert running.yushi("verify").code == 0
        # A copy from before that is old, and no forgery; it is held to what was seen of it.
        for state, words in ((running.state, "complete to 20"), (tmp_path / "new", "nothing could be compared")):
            for ask in (["search", "*"], ["verify"]):
                answer = yushi(*ask, "--store", tmp_path / "before", state=state)
                assert answer.code == 3 and words in answer.err, answer.text + answer.err
        told = running.search("event.action: key-rotated", "--tenant", "_audit")
        assert len(told) == 4 and all(line["yushi"]["key_rotation"].count(" ") == 3 for line in told)
        assert running.stop() == 0
    # The old key signs no more.
    (running.data / "keys" / "node.pem").write_bytes(old)
    assert yushi("verify", "--store", running.data, state=tmp_path / "fresh3").code == 4
    with pytest.raises(AssertionError, match="is not the key"):
        running.start()
