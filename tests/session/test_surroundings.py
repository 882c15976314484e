"""What shells, notebooks and containers set around the tool: measuring goes on, the report is drawn, or it is said."""

from __future__ import annotations

import sys

import pytest

from tests.conftest import MEASURE

AROUND = {
    "a notebook": {"MPLBACKEND": "module://no_such_notebook.backend_inline"},
    "a strict Python": {"PYTHONWARNINGS": "error"},
    "an old locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "no home": {"HOME": "/dev/null", "XDG_CONFIG_HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null"},
}


@pytest.mark.skipif(sys.platform == "win32", reason="names of POSIX")
@pytest.mark.parametrize("name", AROUND)
def test_what_others_set_ends_nothing(workshop, name):
    environment = {**workshop.environment(), **AROUND[name]}
    workshop.study(budget={"time": "300s", "trials": 2})
    for words in (["run", "study.yaml"], ["run", "study.yaml"], ["report", str(workshop.folder)]):
        done = workshop.sweeper(*words, env=environment)
        assert (done.returncode, "internal error" in done.stderr) == (0, False), done.stderr
        assert "could not" not in done.stderr
        assert (workshop.folder / "report.html").read_text().count("<svg") == 2
    shown = workshop.sweeper("report", str(workshop.folder), "--format=md", env=environment)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "±" in shown.stdout or "|" in shown.stdout
    checked = workshop.sweeper("doctor", "study.yaml", env=environment)
    assert "figures can be drawn" in checked.stdout


def test_where_nothing_can_be_drawn_everything_else_is_there(workshop):
    (workshop.root / "matplotlibrc").write_bytes(b"font.family: \xff\xfe\n")
    workshop.study(budget={"time": "300s", "trials": 1})
    assert workshop.sweeper("run", "study.yaml").returncode == 0
    done = workshop.sweeper("report", str(workshop.folder))
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    page = (workshop.folder / "report.html").read_text()
    assert page.count("This figure could not be drawn (UnicodeDecodeError") == 2 and "<svg" not in page
    checked = workshop.sweeper("doctor", "study.yaml")
    assert "warn  report: it will have no figures: UnicodeDecodeError" in checked.stdout


def test_a_proxy_that_catches_this_machine_is_named(workshop):
    workshop.scenario(never_connects=True)
    workshop.study(measure={**MEASURE, "max_startup_seconds": 1})
    environment = {**workshop.environment(), "http_proxy": "http://proxy:3128", "no_proxy": "127.0.0.1,example.org"}
    done = workshop.sweeper("run", "study.yaml", env=environment)
    assert done.returncode == 3
    assert "Careful: http_proxy sends players to a proxy" in done.stderr
    assert "no player connected" in done.stderr
    assert "try: http_proxy sends players to a proxy" in done.stderr and "no_proxy=localhost" in done.stderr
    checked = workshop.sweeper("doctor", "study.yaml", env={**environment, "OMP_NUM_THREADS": "3"})
    assert "warn  proxy: http_proxy sends players to a proxy" in checked.stdout
    assert "surroundings: OMP_NUM_THREADS=3" in checked.stdout
    fine = workshop.sweeper("doctor", "study.yaml", env={**environment, "no_proxy": "localhost,127.0.0.1"})
    assert "warn  proxy" not in fine.stdout
