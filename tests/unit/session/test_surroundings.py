"""What is set around us: which proxy would be asked for this machine, and what a learner gets."""

from __future__ import annotations

import os

import pytest

from sweeper.learner import INSIDE, surroundings
from sweeper.model.session import SessionEnd
from sweeper.session.surroundings import proxy_for_localhost, speed_settings
from sweeper.study.diagnosis import diagnose
from tests.helpers.builders import record_of


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, None),
        ({"http_proxy": ""}, None),
        ({"HTTP_PROXY": "http://p"}, None),  # which gRPC does not read
        ({"http_proxy": "http://p"}, "http_proxy"),
        ({"http_proxy": "http://p", "grpc_proxy": "http://q"}, "grpc_proxy"),
        ({"https_proxy": "http://p", "no_proxy": "127.0.0.1"}, "https_proxy"),
        ({"https_proxy": "http://p", "no_proxy": "localhostess, .org"}, "https_proxy"),
        ({"http_proxy": "http://p", "no_proxy": "example.org, LOCALHOST"}, None),
        ({"http_proxy": "http://p", "no_proxy": "localhost", "no_grpc_proxy": "example.org"}, "http_proxy"),
    ],
)
def test_the_proxy_that_players_would_ask(environment: dict[str, str], name: str | None) -> None:
    assert proxy_for_localhost(environment) == name


@pytest.mark.parametrize(
    ("end", "log", "named"),
    [
        (SessionEnd.NOT_CONNECTED, [], True),
        (SessionEnd.EXITED, ["UnityTimeOutException: The Unity environment took too long to respond."], True),
        (SessionEnd.EXITED, ["Environment shut down with return code 3."], False),
        (SessionEnd.STALLED, [], False),
    ],
)
def test_a_proxy_is_blamed_where_nobody_came(end: SessionEnd, log: list[str], named: bool) -> None:
    assert ("http_proxy" in str(diagnose(record_of(end, log=log, proxy="http_proxy")))) is named
    assert "proxy sends" not in str(diagnose(record_of(end, log=log)))


def test_a_learner_gets_what_its_command_would_have_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MPLBACKEND", "PYTHONINSPECT", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PYTHONPATH", "/mine")
    found = surroundings()
    assert found["OMP_NUM_THREADS"] == "1" and found["PYTHONPATH"] == os.pathsep.join((str(INSIDE), "/mine"))
    assert not {"MPLBACKEND", "PYTHONINSPECT"} & set(found)
    assert speed_settings({"OMP_NUM_THREADS": "1", "HOME": "/"}) == ("OMP_NUM_THREADS=1",)
