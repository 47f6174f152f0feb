"""What is not ours (tests/toys): a file and in it a line of the table are all of it. An input is in tests/crash."""

import json

from senders import wait
from yushi_daemon import BIN, Daemon


def test_a_stranger_s_question_has_a_route_its_parameters_and_its_record(tmp_path):
    with Daemon(tmp_path, program=BIN / "yushid_with_toys") as daemon:
        daemon.send_tcp([b"<13>1 - web app - - - one", b"<13>1 - web app - - - two"])
        daemon.wait_records(2)
        reply = daemon.http("/api/v1/count?log=default")
        assert reply.code == 200 and json.loads(reply.body.splitlines()[0]) == {"log": "default", "count": 2}
        for wrong, words in (("count", b"count needs `log`"), ("count?log=default&colour=red", b"it knows log")):
            reply = daemon.http("/api/v1/" + wrong)
            assert reply.code == 400 and words in reply.body
        wait(lambda: len(daemon.search("event.action: api-count", "--tenant", "_audit")) == 3, "for the records of three questions")


def test_a_stranger_s_detector_tells_what_it_found_once_and_remembers_over_a_kill(tmp_path):
    daemon = Daemon(tmp_path, program=BIN / "yushid_with_toys")

    def log_in(begin, end):
        daemon.send_tcp([f"<86>1 2026-11-28T{n:02}:00:00Z web sshd 811 - - Accepted password for ada from 192.0.2.7 port 5022 ssh2"
                         for n in range(begin, end)])
        daemon.wait_records(end)

    def found():
        return [alert for alert in daemon.yushi("alerts", "list", "-o", "json").objects if alert["rule"]["id"] == "toy.tenth-login"]

    with daemon:
        log_in(0, 4)
        daemon.kill()
        daemon.start()
        log_in(4, 13)
        (alert,) = wait(found, "for the alert")
        assert "ada logged in for the 10th time" in json.dumps(alert)
        daemon.kill()
        daemon.start()
        log_in(13, 21)
        wait(lambda: len(found()) == 2, "for the second one")
        assert daemon.yushi("verify").code == 0
        assert daemon.stop() == 0
    with Daemon(tmp_path, program=BIN / "yushid") as daemon:  # what it learned is left alone
        daemon.wait_records(21)
        assert len(found()) == 2
