"""What every input is promised, by a toy: its place is written with its records, and it is told when they are safe."""

import random
import time

from senders import log_size, wait
from yushi_daemon import BIN, Daemon, yushi

KILLS = 12


def test_a_place_goes_with_its_records_and_an_ack_comes_after_both(tmp_path):
    dice = random.Random(3)
    script = tmp_path / "script.log"
    lines = [f"<13>1 2026-11-01T08:00:00Z h app - - - line {i}" for i in range(6000)]
    script.write_text("\n".join(lines) + "\n")
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line) + 1)
    daemon = Daemon(tmp_path / "d", f"inputs:\n  - {{type: script, path: {script}}}\n", program=BIN / "yushid_with_toys")
    with daemon:
        for _ in range(KILLS):
            time.sleep(dice.uniform(0.02, 0.3))
            told = [int(place) for place in (tmp_path / "script.log.safe").read_text().split()] if (tmp_path / "script.log.safe").exists() else []
            daemon.kill()
            daemon.start()
            if told:
                assert log_size(daemon) >= ends.index(max(told)), "told to be safe, and gone"
        wait(lambda: log_size(daemon) >= len(lines), "for the whole script")
        assert daemon.stop() == 0
    found = yushi("search", "*", "-o", "raw", "--store", daemon.data, state=daemon.state)
    assert found.lines == lines, "read twice, or left out"
    assert yushi("verify", "--store", daemon.data, state=daemon.state).code == 0
