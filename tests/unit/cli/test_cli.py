"""The command line: parse, call, print, exit."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from sweeper import __version__
from sweeper.app.outputs import save_results
from sweeper.cli.main import main
from sweeper.cli.options import next_time
from sweeper.cli.progress import Progress
from sweeper.inputs.study_file import StudyFile
from sweeper.model.events import StageChanged, StudyStarted, TrialFinished, TrialStarted
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.folder import StudyFolder
from sweeper.model.trial import Outcome, Purpose
from sweeper.report.data import as_json
from tests.helpers.builders import GIB, PPO, STUDY_HEAD, params_of, said, trial_of
from tests.helpers.recorded import recording
from tests.helpers.results import OWN, full_result, info_of

COMMANDS = ("run", "show", "report", "apply", "check", "guide", "replay", "doctor", "init", "validate", "schema")
HEAVY = ("matplotlib", "pandas", "scipy", "optuna", "torch", "numpy", "sqlalchemy", "jinja2", "pydantic", "mlagents")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return int(caught.value.code or 0), out, err


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from sweeper.cli.main import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit as end:\n    assert end.code == 0, end.code\n"
        f"print('HEAVY', sorted(name for name in {HEAVY!r} if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []"
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert f"Usage: sweeper {command}" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"sweeper {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["show"], ["run", "--nonsense", "x"], ["run"], ["report", "x", "--format", "pdf"]]
)
def test_bad_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    assert err.strip()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--budget", "soon"], "expected a duration such as 90s, 20m or 8h, not 'soon'"),
        (["--until", "25:00"], "expected a time of day such as 07:30, not '25:00'"),
        (["--trials", "0"], "--trials"),
        (["--memory-cap", "lots"], "expected an amount of memory such as 8GiB or 500MB, not 'lots'"),
    ],
)
@pytest.mark.parametrize("command", ["run", "validate"])
def test_bad_values(capsys: pytest.CaptureFixture[str], command: str, flags: list[str], message: str) -> None:
    code, _, err = run(capsys, command, "study.yaml", *flags)
    assert code == 2
    assert message in " ".join(err.split())


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_missing_study(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str) -> None:
    code, out, err = run(capsys, command, tmp_path / "study.yaml")
    assert (code, out) == (2, "")
    assert err == f"sweeper: {tmp_path / 'study.yaml'}: no such study file\n"


def test_a_wrong_study_names_its_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY_HEAD + "budgt: 5m\n")
    code, _, err = run(capsys, "run", tmp_path / "study.yaml")
    assert code == 2
    assert "study.yaml:4: budgt: unknown key (did you mean 'budget'?)" in err
    assert "  try: `sweeper schema`" in err


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "schema")
    assert (code, err) == (0, "")
    assert set(json.loads(out)["properties"]) == set(StudyFile.model_fields)


def test_init(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    code, out, err = run(capsys, "init", path)
    assert (code, out) == (0, "")
    assert err.endswith(f"Next: sweeper validate {path}\n")
    before = path.read_bytes()
    code, _, err = run(capsys, "init", path)
    assert code == 2
    assert "exists; nothing was overwritten" in err
    assert path.read_bytes() == before


@pytest.mark.parametrize("command", ["show", "report", "apply"])
def test_a_folder_without_a_study(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str) -> None:
    code, out, err = run(capsys, command, tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith(f"sweeper: {tmp_path}: no results.json here\n  try: ")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "car.yaml").write_text(PPO)
    root = tmp_path / "racer"
    root.mkdir()
    save_results(StudyFolder(root), full_result(study=info_of(trainer_config=str(tmp_path / "car.yaml"))))
    return root


def test_show(capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    code, out, err = run(capsys, "show", folder)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("num_envs 4, num_areas 4, batch_size 256, threaded false trains at 2,000 steps/s")
    assert lines[2].split() == ["4", "4", "256", "false", "2,000", "1,900", "to", "2,100", "1", "1.0", "GiB", "0.50"]
    assert lines[4].split()[-1] == "yours"
    assert lines[-1] == "mlagents-learn /r/best.yaml '--env=/b/my build'"
    assert err == f"Next: sweeper apply {folder}\n"


def test_show_where_the_users_own_settings_break_the_cap(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    result = full_result()
    over = trial_of(
        0, params_of(8, 16), purpose=Purpose.BASELINE, outcome=Outcome.OVER_MEMORY, peak_memory_bytes=9 * GIB
    )
    assert result.baseline is not None
    own = replace(result.baseline, params=params_of(8, 16), steps_per_second=None)
    save_results(StudyFolder(folder), replace(result, baseline=own, reference=OWN, trials=(over, *result.trials[1:])))
    code, out, _ = run(capsys, "show", folder)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith(
        "Your own settings break the memory cap of 8.0 GiB (stopped at 9.0 GiB); speed-ups are over"
    )
    assert "2.00 times as fast as the smallest that fits (95 %: 1.80 to 2.20)." in lines[0]
    assert lines[4].endswith("smallest that fits")
    assert "yours" not in out


def test_report_formats(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    code, out, _ = run(capsys, "report", folder, "--format", "json")
    assert code == 0
    assert json.loads(out) == json.loads((folder / "results.json").read_text())
    code, out, _ = run(capsys, "report", folder, folder)
    assert (code, out.splitlines()[0]) == (0, "## racer and racer")
    code, _, err = run(capsys, "report", folder, folder, "--format", "csv")
    assert (code, err) == (2, "sweeper: two studies side by side come as md, not csv\n")
    code, _, err = run(capsys, "report", folder, "--format", "md", "--open")
    assert code == 2
    code, out, err = run(capsys, "report", folder)
    assert (code, out) == (0, "")
    assert (folder / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_apply_writes_only_when_asked(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    code, out, err = run(capsys, "apply", folder)
    assert code == 0
    assert "+      batch_size: 256" in out
    assert "Nothing was written." in err
    assert not (tmp_path / "car_tuned.yaml").exists()
    code, _, err = run(capsys, "apply", folder, "--write")
    assert code == 0
    assert (tmp_path / "car_tuned.yaml").exists()
    assert err.splitlines()[-1] == f"Next: sh {tmp_path / 'train_car_tuned.sh'}"


def test_apply_names_the_command_that_does_what_it_showed(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    _, _, err = run(capsys, "apply", folder, "-o", tmp_path / "out")
    assert str(tmp_path / "out") in err.partition("To write ")[2].rpartition(": ")[2]


class TestReplay:
    @pytest.fixture
    def recorded(self, tmp_path: Path) -> Path:
        path = tmp_path / "made.json"
        path.write_text(as_json(recording()))
        return path

    def test_a_table_and_a_picture(
        self, capsys: pytest.CaptureFixture[str], recorded: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn = recorded.with_suffix(".svg")
        options = ("--strategy", "grid", "--strategy", "random", "--seeds", 2, "--time", "3m", "-o", drawn)
        code, out, err = run(capsys, "replay", recorded, *options)
        assert code == 0, err
        assert "made: 15 of 16 configurations are feasible, 48 sessions" in out
        assert "Speeds are known to ± " in out
        assert [line.split()[0] for line in out.splitlines()[3:]] == ["grid", "random"]
        assert drawn.read_text().startswith("<svg")
        assert "Next: " in err

    def test_without_repeats_it_says_so(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        path = tmp_path / "once.json"
        path.write_text(as_json(recording(repeats=1)))
        _, out, _ = run(capsys, "replay", path, "--strategy=autotune", "--seeds=1")
        assert "Nothing was measured twice" in out

    def test_json_is_one_document(self, capsys: pytest.CaptureFixture[str], recorded: Path) -> None:
        _, out, _ = run(capsys, "replay", recorded, "--strategy=autotune", "--seeds=1", "--json")
        assert json.loads(out)["by_surface"]["made"]["autotune"]["infeasible_percent"] >= 0

    def test_a_strategy_that_is_not_there(self, capsys: pytest.CaptureFixture[str], recorded: Path) -> None:
        code, _, err = run(capsys, "replay", recorded, "--strategy", "pahse")
        assert (code, "did you mean 'phase'?" in err) == (2, True)

    def test_what_holds_too_little(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        path = tmp_path / "small.json"
        path.write_text(as_json(full_result()))
        code, _, err = run(capsys, "replay", path)
        assert (code, "cannot be replayed" in err) == (2, True)
        code, _, err = run(capsys, "replay", tmp_path / "missing.json")
        assert (code, "missing.json: No such file" in err) == (2, True)
        code, _, err = run(capsys, "replay", tmp_path)
        assert (code, "no results.json here" in err) == (2, True)

    def test_two_of_one_name_are_told_apart(self, capsys: pytest.CaptureFixture[str], recorded: Path) -> None:
        other = recorded.with_name("other.json")
        other.write_text(recorded.read_text())
        _, out, _ = run(capsys, "replay", recorded, other, "--strategy=autotune", "--seeds=1", "--json")
        assert list(json.loads(out)["by_surface"]) == [f"made ({recorded})", f"made ({other})"]

    def test_a_picture_that_cannot_be_written_is_told_first(
        self, capsys: pytest.CaptureFixture[str], recorded: Path, tmp_path: Path
    ) -> None:
        code, out, err = run(capsys, "replay", recorded, "-o", tmp_path / "nowhere" / "picture.svg")
        assert (code, out) == (2, "")
        assert "--output: there is no folder" in err

    @pytest.mark.skipif(os.name == "nt", reason="no such signals")
    @pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
    def test_however_it_ends_no_process_is_left(self, recorded: Path, number: int, code: int) -> None:
        command = [sys.executable, "-m", "sweeper", "replay", str(recorded), "--seeds=10000"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            ours = psutil.Process(process.pid)
            workers: list[psutil.Process] = []
            deadline = time.monotonic() + 60
            while not workers and time.monotonic() < deadline:
                time.sleep(0.1)
                workers = ours.children(recursive=True)
            process.send_signal(number)
            assert process.wait(timeout=60) == code
        _, alive = psutil.wait_procs(workers, timeout=15)
        assert workers and not alive


def test_an_internal_error_is_1_with_its_log(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Path) -> None:
        raise RuntimeError("oh")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("sweeper.app.init.write_study", broken)
    code, _, err = run(capsys, "init", "x.yaml")
    assert code == 1
    assert "internal error: RuntimeError: oh" in err
    (log,) = tmp_path.glob("sweeper-error-*.log")
    assert "in broken" in log.read_text()


def test_until_is_the_next_time_the_clock_shows_it() -> None:
    now = datetime(2026, 3, 4, 22, 0, 30)
    assert next_time("22:30", now) == datetime(2026, 3, 4, 22, 30)
    assert next_time("07:30", now) == datetime(2026, 3, 5, 7, 30)
    assert next_time("22:00", now) == datetime(2026, 3, 5, 22, 0)


class TestProgress:
    finished = TrialFinished(
        trial_of(3, params_of(4), 1234.0, interval=(1200.0, 1268.0)), params_of(4), 1234.0, 617.0, 90.0
    )

    def test_a_plain_line_a_trial(self, capsys: pytest.CaptureFixture[str]) -> None:
        with Progress() as progress:
            notes = (Finding(FindingKind.BASELINE_FROM_CONFIG),)
            progress(StudyStarted("racer", "reports/racer", 2, 8 * GIB, 1200.0, 300.0, notes))
            progress(StageChanged("Searching."))
            progress(TrialStarted(3, Purpose.SEARCH, params_of(4)))
            progress(self.finished)
        out, err = capsys.readouterr()
        assert out == ""
        assert err.splitlines() == [
            "Study racer in reports/racer, resumed with 2 finished trials; memory cap 8.0 GiB, 15m 00s left.",
            "Note: The study file states no baseline; the trainer config's own settings stand in for it.",
            "Searching.",
            "   3  search    num_envs 4, num_areas 1, batch_size 128, threaded false  "
            "1,234 steps/s (± 2.8 % within), peak 1.0 GiB  [1m 30s left]",
        ]

    def test_why_is_said_in_the_words_of_the_report(self, capsys: pytest.CaptureFixture[str]) -> None:
        reason = Finding(FindingKind.OVER_MEMORY, {"peak_bytes": 9 * GIB, "cap_bytes": 8 * GIB})
        with Progress() as progress:
            progress(TrialFinished(trial_of(4, outcome=Outcome.OVER_MEMORY, reason=reason), None, None, None, 10.0))
            progress(TrialFinished(trial_of(5, outcome=Outcome.INTERRUPTED), None, None, None, 10.0))
        over, cut = capsys.readouterr().err.splitlines()
        assert "over the memory cap: 9.0 GiB in use, above the cap of 8.0 GiB; stopped at once  [10s left]" in over
        assert cut.endswith("  interrupted  [10s left]")

    def test_failures_say_why(self, capsys: pytest.CaptureFixture[str]) -> None:
        failed = trial_of(
            4, params_of(8), outcome=Outcome.CRASHED, reason=said("[odd] it broke"), diagnosis="[mend] it"
        )
        with Progress(verbose=True) as progress:
            progress(TrialFinished(failed, None, None, None, 10.0))
        _, err = capsys.readouterr()
        assert "crashed: [odd] it broke  [10s left]" in err
        assert "    [mend] it\n" in err

    def test_quiet(self, capsys: pytest.CaptureFixture[str]) -> None:
        with Progress(quiet=True) as progress:
            progress(StageChanged("Searching."))
            progress(self.finished)
        assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("number", "expected"), [(errno.EIO, 143), (errno.EPIPE, 0)])
def test_a_terminal_that_hung_up_ends_it_and_a_reader_may_leave(
    monkeypatch: pytest.MonkeyPatch, number: int, expected: int
) -> None:
    def gone(*_: Path) -> None:
        raise OSError(number, "gone")

    monkeypatch.setattr("sweeper.app.init.write_study", gone)
    monkeypatch.setattr("sweeper.cli.main.forget_stdout", lambda: None)
    with pytest.raises(SystemExit) as ended:
        main(["init", "x.yaml"])
    assert ended.value.code == expected


def test_a_disk_that_fails_is_no_reader_that_has_gone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal that hung up gives the same error, and names no file."""

    def fails(*_: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", "study.db")

    monkeypatch.setattr("sweeper.app.init.write_study", fails)
    code, _, err = run(capsys, "init", "x.yaml")
    assert code == 3
    assert "Input/output error (study.db)" in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_device_without_space_is_named_and_is_no_bug() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "sweeper", "schema"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 3
    assert "No space left on device (where this is printed)" in done.stderr
