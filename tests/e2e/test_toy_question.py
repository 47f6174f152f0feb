"""A question that is not ours (tests/toys/count_question.cc): a file and in it a line of the table are all of it."""

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
