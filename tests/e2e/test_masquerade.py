"""bench/masquerade on streams made here: somebody else is found, the own work is not, and nothing looks ahead."""

import pathlib
import random
import re
import subprocess
import sys

from yushi_daemon import BIN

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCORES = BIN / "command_habit_scores"


def streams(folder, users=6, blocks=40):
    """Each user works with some of forty programs; in blocks 10 to 14 of user 2 somebody works who is nobody of them."""
    folder.mkdir()
    choose = random.Random(5)
    programs = [f"program-{i}" for i in range(40)]
    stranger = choose.sample(programs, 15)
    lines, labels = {}, [[0] * users for _ in range(blocks)]
    for user in range(1, users + 1):
        own = choose.sample(programs, 15)
        often = [1 / (i + 1) for i in range(15)]
        lines[user] = choose.choices(own, often, k=5000 + 100 * blocks)
        if user == 2:
            lines[user][6000:6500] = choose.choices(stranger, often, k=500)
            for block in range(10, 15):
                labels[block][user - 1] = 1
    for user, commands in lines.items():
        (folder / f"User{user}").write_text("\n".join(commands) + "\n")
    (folder / "labels.txt").write_text("".join(" ".join(map(str, row)) + "\n" for row in labels))
    return lines


def scores(folder, threshold=256):
    said = subprocess.run([SCORES, folder, str(threshold)], check=True, capture_output=True, text=True).stdout
    return {int(line.split()[1]): list(map(int, line.split()[2:])) for line in said.splitlines()}


def test_somebody_else_is_found_and_the_picture_drawn(tmp_path):
    streams(tmp_path / "data")
    said = subprocess.run([sys.executable, ROOT / "bench/masquerade", "--data", tmp_path / "data", "--bin", BIN, "--svg", tmp_path / "roc.svg"],
                          check=True, capture_output=True, text=True).stdout
    assert "6 users, 240 blocks, 5 of them somebody else's" in said
    hits, false_alarms, cost = map(float, re.search(r"command habit, at the daemon's \d+ +([\d.]+) % hits +([\d.]+) % false alarms +cost +([\d.]+)", said).groups())
    assert hits == 100 and false_alarms < 1 and abs(cost - 6 * false_alarms) < 0.1, said
    assert "naive Bayes, cross-validated" in said
    assert "<polyline" in (tmp_path / "roc.svg").read_text()


def test_a_block_is_judged_by_what_came_before_it_alone(tmp_path):
    lines = streams(tmp_path / "data")
    before = scores(tmp_path / "data")
    cut = 5000 + 100 * 20
    (tmp_path / "data/User2").write_text("\n".join(lines[2][:cut] + ["nmap"] * (len(lines[2]) - cut)) + "\n")
    after = scores(tmp_path / "data")
    assert after[2][:20] == before[2][:20] and after[2][20:] != before[2][20:]
    assert {user: row for user, row in after.items() if user != 2} == {user: row for user, row in before.items() if user != 2}
