"""Every way a run can end: nothing is left behind, and no finished trial is lost."""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.conftest import MEASURE

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
ENDING_SECONDS = 15.0


def started(workshop, **popen):
    """A run in its second trial, of many."""
    long_study(workshop)
    process = workshop.start("run", "study.yaml", **popen)
    baseline = workshop.folder / "results.json"
    second = workshop.folder / "trials" / "0001" / "samples.jsonl"
    workshop.wait_for(lambda: baseline.exists() and second.exists(), 60)
    return process


def long_study(workshop):
    """Too long to end by itself before whatever a test does to it, however late that comes."""
    workshop.scenario(rate=1000.0)
    workshop.study(
        budget={"time": "5m", "trials": 40},
        space={"num_envs": {"low": 1, "high": 8}, "num_areas": [1, 2, 4]},
        measure={**MEASURE, "precision": "1%", "max_seconds": 20},
        sampler="tpe",  # whose sessions are whole
    )


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_saves_and_says_how_to_go_on(workshop, number, code):
    process = started(workshop)
    process.send_signal(number)
    _, err = process.communicate(timeout=ENDING_SECONDS)
    assert process.returncode == code
    assert "sweeper run study.yaml" in err
    assert workshop.leftovers() == []
    trials = workshop.results()["trials"]
    assert [t["outcome"] for t in trials] == ["ok", "interrupted"]
    assert (workshop.folder / "report.html").exists()
    again = workshop.sweeper("run", "study.yaml", "--trials=3")
    assert again.returncode == 0, again.stderr
    assert workshop.results()["trials"][:2] == trials


@posix
def test_a_report_exists_before_the_first_trial_has_ended(workshop):
    workshop.scenario(no_steps=True)
    workshop.study(budget={"time": "120s", "trials": 8})
    process = workshop.start("run", "study.yaml")
    workshop.wait_for((workshop.folder / "trials" / "0000" / "learner.log").exists, 60)
    process.kill()
    process.communicate()
    report = (workshop.folder / "report.html").read_text()
    assert "This study is still running" in report and "No trial has ended yet." in report
    assert workshop.results()["trials"] == []
    shown = workshop.sweeper("show", str(workshop.folder))
    assert shown.returncode == 0 and "No trial has ended yet." in shown.stdout
    refused = workshop.sweeper("apply", str(workshop.folder))
    assert refused.returncode == 4 and "no best configuration to apply" in refused.stderr
    workshop.wait_for(lambda: not workshop.leftovers(), ENDING_SECONDS)


@posix
def test_a_background_job_can_be_stopped_and_stops_its_learner(workshop):
    """`nohup sweeper run ... &` starts with SIGINT ignored, and children would inherit that."""
    workshop.study(budget={"time": "300s", "trials": 1})
    done = workshop.sweeper("run", "study.yaml", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert done.returncode == 0
    log = (workshop.folder / "trials" / "0000" / "learner.log").read_text()
    assert "Exported the model" in log  # the polite stop worked to its end; nobody was killed


@posix
def test_kill_9_of_the_tool_ends_the_session_by_itself(workshop):
    process = started(workshop)
    assert workshop.leftovers()
    process.kill()
    process.communicate()
    killed = time.monotonic()
    workshop.wait_for(lambda: not workshop.leftovers(), ENDING_SECONDS)
    assert time.monotonic() - killed < ENDING_SECONDS
    finished = workshop.results()["trials"]
    assert [t["outcome"] for t in finished] == ["ok"]
    again = workshop.sweeper("run", "study.yaml", "--trials=2")
    assert again.returncode == 0, again.stderr
    assert workshop.results()["trials"][0] == finished[0]
    assert len(workshop.results()["trials"]) == 2


@posix
def test_kill_9_of_the_learner_leaves_no_player(workshop):
    process = started(workshop)
    learner = next(p for p in workshop.leftovers() if "mlagents-learn" in " ".join(p.cmdline()))
    learner.kill()
    workshop.wait_for(lambda: len(workshop.results()["trials"]) >= 2, 30)
    assert workshop.results()["trials"][1]["outcome"] == "crashed"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=ENDING_SECONDS)
    assert workshop.leftovers() == []


@posix
def test_two_sweeps_do_not_measure_each_other(workshop):
    process = started(workshop)
    refused = subprocess.run(
        [sys.executable, "-c", IMPATIENT, "run", "study.yaml", "--out=elsewhere"],
        cwd=workshop.root,
        env=workshop.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert refused.returncode == 3
    assert f"process {process.pid}" in refused.stderr
    assert "waiting up to 3 s" in refused.stderr
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=ENDING_SECONDS)
    assert not list(workshop.root.glob("*.pid"))


IMPATIENT = """
import sweeper.app.alone
assert sweeper.app.alone.WAIT_SECONDS == 60
sweeper.app.alone.WAIT_SECONDS = 3.0
from sweeper.__main__ import main
main()
"""


@posix
def test_a_full_disk_is_said_and_loses_nothing(workshop):
    """A file size limit stands in for a full disk: writes fail with the same kind of error at the same places."""
    workshop.study(budget={"time": "300s", "trials": 1})
    workshop.sweeper("run", "study.yaml")
    before = workshop.results()
    size = (workshop.folder / "study.db").stat().st_size
    limited = [sys.executable, "-c", LIMITED, str(size + 4096), sys.executable, "-m", "sweeper", "run", "study.yaml"]
    done = subprocess.run(
        [*limited, "--trials=30"],
        cwd=workshop.root,
        env=workshop.environment(),
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert workshop.leftovers() == []
    assert workshop.results()["trials"][0] == before["trials"][0]


LIMITED = """
import os, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_closed_pipe_is_no_error(workshop):
    process = workshop.start("schema")
    process.stdout.close()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert err == ""


@posix
def test_ctrl_c_twice_ends_at_once(workshop):
    """Once ends cleanly and writes the report; twice ends the processes and nothing else."""
    process = started(workshop)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=ENDING_SECONDS)
    assert process.returncode == 130
    assert "sweeper run study.yaml" in err
    assert workshop.leftovers() == []
    assert workshop.results()["trials"][0]["outcome"] == "ok"
    again = workshop.sweeper("run", "study.yaml", "--trials=3")
    assert again.returncode == 0, again.stderr


@posix
def test_the_next_run_ends_what_a_killed_one_left(workshop):
    """Tool and guardian killed, no probe in the learner: nobody is left to end the session."""
    workshop.scenario(no_probe=True)
    workshop.study(
        measure={**MEASURE, "precision": "0.1%", "max_seconds": 60}, budget={"time": "300s", "trials": 2}, sampler="tpe"
    )
    process = workshop.start("run", "study.yaml")
    workshop.wait_for(lambda: len(workshop.leftovers()) >= 2, 60)
    guardians = [child for child in psutil.Process(process.pid).children() if "guardian" in " ".join(child.cmdline())]
    assert len(guardians) == 1
    process.kill()
    guardians[0].kill()
    process.communicate()
    orphans = {orphan.pid for orphan in workshop.leftovers()}
    assert orphans
    folders = [path for path in (workshop.root / "tmp").glob("sweeper-*") if path.is_dir()]
    assert folders
    workshop.study(measure={**MEASURE, "max_seconds": 3}, budget={"time": "300s", "trials": 1})
    again = workshop.sweeper("run", "study.yaml")
    assert again.returncode == 0, again.stderr
    assert not orphans & {orphan.pid for orphan in workshop.leftovers()}
    assert not any(folder.exists() for folder in folders)
    assert "ended what a killed run left" in (workshop.folder / "run.log").read_text()


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs namespaces, which root may make")
@pytest.mark.parametrize("inner", ["first", "second"])
def test_a_training_in_a_container_and_one_beside_it_leave_each_other_alone(workshop, inner):
    """Each has a lock of its own, and both write their temporary folders into the same place."""
    unshared = ["unshare", "-pf", "--kill-child", "--mount-proc"]
    if subprocess.run([*unshared, "true"], capture_output=True).returncode:
        pytest.skip("no namespaces here")
    workshop.scenario(rate=600.0)
    long = {**MEASURE, "precision": "0.1%", "max_seconds": 240}  # the first trains until the second does
    workshop.study(measure=long, budget={"time": "600s"}, sampler="tpe")
    command = [sys.executable, "-m", "sweeper", "run", "study.yaml"]

    def run(which):
        own = {**workshop.environment(), "SWEEPER_HOST_LOCK": str(workshop.root / f"{which}.lock")}
        words = [*(unshared if which == inner else []), *command, f"--out=reports/{which}"]
        return subprocess.Popen(words, cwd=workshop.root, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def samples(which):
        return workshop.root / "reports" / which / "trials" / "0000" / "samples.jsonl"

    first = run("first")
    workshop.wait_for(samples("first").exists, 60)
    trained = {process.pid for process in workshop.leftovers()}
    folders = [path for path in (workshop.root / "tmp").glob("sweeper-*") if path.is_dir()]
    second = run("second")
    workshop.wait_for(samples("second").exists, 60)
    alive = trained <= {process.pid for process in workshop.leftovers()}
    there = folders and all(folder.exists() for folder in folders)
    for process in (first, second):
        process.kill()
        process.communicate()
    assert alive and there
    workshop.wait_for(lambda: not workshop.leftovers(), ENDING_SECONDS)


@posix
def test_time_of_a_killed_trial_is_not_lost(workshop):
    long = {**MEASURE, "precision": "0.001%", "max_seconds": 60}
    workshop.study(measure=long, budget={"time": "300s", "trials": 1}, sampler="tpe")  # whose sessions are whole
    process = workshop.start("run", "study.yaml")
    workshop.wait_for((workshop.folder / "trials" / "0000" / "samples.jsonl").exists, 60)
    time.sleep(12)  # longer than a heartbeat
    process.kill()
    process.communicate()
    workshop.wait_for(lambda: not workshop.leftovers(), ENDING_SECONDS)
    workshop.study(budget={"time": "300s", "trials": 1})
    again = json.loads(workshop.sweeper("run", "study.yaml", "--json", "-q").stdout)
    assert again["study"]["seconds"] > again["trials"][0]["total_seconds"] + 10


@posix
def test_ctrl_c_while_another_sweep_is_waited_for(workshop):
    first = started(workshop)
    second = workshop.start("run", "study.yaml", "--out=elsewhere")
    time.sleep(4)  # into its waiting; earlier is as good
    second.send_signal(signal.SIGINT)
    second.communicate(timeout=ENDING_SECONDS)
    assert second.returncode == 130
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=ENDING_SECONDS)


@posix
@pytest.mark.parametrize("after", [0.5, 0.8, 1.2, 1.6])
def test_ctrl_c_while_the_tool_starts_shows_no_traceback(workshop, after):
    process = workshop.start("run", "study.yaml")
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=ENDING_SECONDS)
    assert process.returncode in (130, -signal.SIGINT)  # the same to a shell
    assert "Traceback" not in err
    assert workshop.leftovers() == []


@posix
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX shells")
def test_streams_that_are_closed_end_nothing(workshop):
    workshop.study(budget={"trials": 1})
    command = f"exec {shlex.quote(sys.executable)} -m sweeper run study.yaml >&- 2>&-"
    done = subprocess.run(["sh", "-c", command], cwd=workshop.root, env=workshop.environment(), check=False)
    assert done.returncode == 0
    assert [trial["outcome"] for trial in workshop.results()["trials"]] == ["ok"]


def test_a_closed_terminal_is_like_ctrl_c_once(workshop):
    """The terminal is gone before the words are; it may hang up more than once."""
    long_study(workshop)
    ours, theirs = os.openpty()
    environment = {**workshop.environment(), "CI": ""}
    process = subprocess.Popen(
        [sys.executable, "-m", "sweeper", "run", "study.yaml"],
        cwd=workshop.root, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    second = workshop.folder / "trials" / "0001" / "samples.jsonl"
    deadline = time.monotonic() + 60
    while not second.exists() and time.monotonic() < deadline:
        select.select([ours], [], [], 0.05)[0] and os.read(ours, 65536)
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.05)
    process.send_signal(signal.SIGHUP)
    assert process.wait(ENDING_SECONDS) == 143
    outcomes = [trial["outcome"] for trial in workshop.results()["trials"]]
    assert outcomes[0] == "ok" and 2 <= len(outcomes) < 40
    assert (workshop.folder / "report.html").exists()
    assert not list((workshop.root / "tmp").glob("sweeper-error*"))
    assert workshop.leftovers() == []


@posix
def test_a_reader_that_leaves_ends_nothing(workshop):
    """As `sweeper run ... 2>&1 | head -2`."""
    process = workshop.start("run", "study.yaml", "--trials=2")
    workshop.wait_for((workshop.folder / "trials" / "0000" / "samples.jsonl").exists, 60)
    process.stderr.close()
    process.stdout.close()
    assert process.wait(120) == 0
    assert len(workshop.results()["trials"]) == 2
    assert (workshop.folder / "report.html").exists()


@posix
def test_fresh_takes_nothing_from_under_a_running_sweep(workshop):
    first = started(workshop)
    elsewhere = {**workshop.environment(), "SWEEPER_HOST_LOCK": str(workshop.root / "another.lock")}
    refused = workshop.sweeper("run", "study.yaml", "--fresh", env=elsewhere)
    assert refused.returncode == 3
    assert f"process {first.pid}" in refused.stderr
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=ENDING_SECONDS)
    assert first.returncode == 130
