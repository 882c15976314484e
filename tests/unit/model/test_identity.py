"""What makes a study another, told by its parts."""

from __future__ import annotations

from sweeper.model.identity import content, differences


def test_equal_is_equal() -> None:
    one = {"build": {"a": content("1")}, "machine": "m1"}
    assert differences(one, one) == []
    assert differences({**one, "no longer asked for": 1}, one) == []


def test_files_are_named_and_their_digests_are_not() -> None:
    before = {"build": {"Car": content("1"), "Car_Data/level0": content("2"), "Car_Data/level1": content("3")}}
    after = {"build": {"Car": content("1"), "Car_Data/level0": content("9"), "Car_Data/level2": content("3")}}
    assert differences(before, after) == [
        "build: Car_Data/level0 changed, Car_Data/level1 is gone, Car_Data/level2 is new"
    ]


def test_values_are_told() -> None:
    assert differences({"machine": "m1"}, {"machine": "m2"}) == ['machine was "m1", is now "m2"']
    assert differences({"space": {"num_envs": [1, 2]}}, {"space": {"num_envs": [1, 3]}}) == [
        "space: num_envs was [1, 2], is now [1, 3]"
    ]
    assert differences({"space": None}, {"space": {"num_envs": [1]}}) == ['space was null, is now {"num_envs": [1]}']


def test_many_are_cut_short() -> None:
    before, after = ({"build": {str(at): content(digest) for at in range(9)}} for digest in "ab")
    assert differences(before, after) == ["build: 0 changed, 1 changed, 2 changed, 3 changed and 5 more"]


def test_what_an_earlier_version_kept_cannot_be_compared() -> None:
    assert differences({"build": "Car:12:34"}, {"build": {"Car": content("1")}}) == [
        "build was kept by an earlier version in a form that cannot be compared"
    ]
