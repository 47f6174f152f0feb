"""A site of administrators, simulated: what they should not do is told, by sudo and from a root shell, and its ordinary twins are not."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "behaviours"))
import score  # noqa: E402

@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return score.told(tmp_path_factory.mktemp("behaviours") / "d")[0]


@pytest.fixture(scope="module")
def told_by_lists(tmp_path_factory):
    return score.told(tmp_path_factory.mktemp("listed") / "d", (), score.LISTED, score.LISTS)[0]


def words(alerts):
    return [f"{a['rule']['name']}: {a['yushi']['alert']['reason']}" for a in alerts]


def test_each_act_is_told(told):
    assert {(name, which) for (name, which), alerts in told.items() if which in ("act", "root") and not alerts} == set()


def test_no_twin_alarms(told):
    assert {name: words(alerts) for (name, which), alerts in told.items() if which == "twin" and alerts} == {}


def test_two_ordinary_weeks_raise_next_to_nothing(told):
    ordinary = told["", "ordinary"]
    assert [a for a in ordinary if not a["yushi"]["alert"].get("learning")] == []
    assert len(ordinary) <= 5, words(ordinary)


def test_the_lists_tell_each_act_and_no_twin_and_add_nothing_to_ordinary_weeks(told_by_lists, told):
    assert {name for (name, which), alerts in told_by_lists.items() if which == "act" and not alerts} == set()
    assert {name: words(alerts) for (name, which), alerts in told_by_lists.items() if which == "twin" and alerts} == {}
    assert words(told_by_lists["", "ordinary"]) == words(told["", "ordinary"])


def test_what_is_done_from_a_root_shell_is_told_of_who_opened_it(told):
    for (name, which), alerts in told.items():
        if which == "root":
            keys = [a["yushi"]["alert"]["key"] for a in alerts]
            assert any(key.startswith(("actor=lin ", "actor=ma ")) for key in keys), (name, keys)
