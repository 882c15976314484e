"""The use cases' own decisions: tuned config, and the files they write."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from sweeper.app.outputs import Outputs, read_results, save_results, write_atomically
from sweeper.app.prepare import Overrides, load
from sweeper.app.render import render, write_report
from sweeper.app.stop import StopSignal
from sweeper.app.study_folder import move_aside, open_folder
from sweeper.errors import ExitCode, Interrupted, InvalidInput, NotReady
from sweeper.inputs.study_limits import Budget, MemoryCap
from sweeper.model.findings import FindingKind
from sweeper.model.folder import StudyFolder
from sweeper.model.identity import differences
from sweeper.model.study import study_from_json
from sweeper.report.data import as_json
from tests.helpers.builders import GIB, PPO, STUDY_HEAD, machine_of, prepared_of, said, trial_of
from tests.helpers.results import OWN, full_result


class TestFiles:
    def test_results_round_trip(self, tmp_path: Path) -> None:
        folder = StudyFolder(tmp_path)
        save_results(folder, full_result())
        assert read_results(folder) == full_result()

    @pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": "sweeper.results", "version": 99}'])
    def test_broken_results_are_the_users_input(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "results.json").write_text(text)
        with pytest.raises(InvalidInput, match=r"results\.json: "):
            read_results(StudyFolder(tmp_path))

    def test_no_results(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match=r"no results\.json here"):
            read_results(StudyFolder(tmp_path))

    def test_all_outputs(self, tmp_path: Path) -> None:
        prepared = prepared_of(root=tmp_path)
        told: list[str] = []
        Outputs(prepared, told.append).save_all(full_result())
        assert told == []
        assert sorted(path.name for path in tmp_path.iterdir()) == ["best.yaml", "report.html", "results.json"]
        assert (
            yaml.safe_load((tmp_path / "best.yaml").read_text())["behaviors"]["Car"]["hyperparameters"]["batch_size"]
            == 256
        )

    def test_what_cannot_be_made_ends_nothing_and_is_tried_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[str] = []
        outputs = Outputs(prepared_of(root=tmp_path), told.append)

        def broken(result: Any) -> str:
            raise RuntimeError("no fonts here")

        with monkeypatch.context() as patched:
            patched.setattr("sweeper.report.html.render_html", broken)
            outputs.save_all(full_result())
        assert told == ["the report could not be made: RuntimeError: no fonts here; see run.log"]
        assert not (tmp_path / "report.html").exists()
        assert read_results(StudyFolder(tmp_path)) == full_result()
        outputs.save_all(full_result())
        assert len(told) == 1
        assert (tmp_path / "report.html").exists()

    def test_a_reader_that_holds_the_file_is_a_warning(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As on Windows, where nobody may replace a file that somebody has open."""
        told: list[str] = []
        outputs = Outputs(prepared_of(root=tmp_path), told.append)

        def held(source: Any, target: Any) -> None:
            raise PermissionError(13, "Access is denied")

        with monkeypatch.context() as patched:
            patched.setattr("os.replace", held)
            outputs.save(full_result())
        assert any("results.json could not be written" in text for text in told)
        outputs.save(full_result())
        assert read_results(StudyFolder(tmp_path)) == full_result()

    def test_the_report_is_drawn_now_and_then(self, tmp_path: Path) -> None:
        outputs = Outputs(prepared_of(root=tmp_path), lambda text: None)
        outputs.save(full_result())
        (tmp_path / "report.html").unlink()
        outputs.save(full_result())
        assert not (tmp_path / "report.html").exists()
        outputs.save_all(full_result())
        assert (tmp_path / "report.html").exists()

    def test_trials_are_written_out_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        result, texts = full_result(), dict[int, Any]()
        assert as_json(result, texts) == as_json(result) == as_json(result, texts)
        before = dict(texts)
        longer = replace(result, trials=(*result.trials, trial_of(10, OWN, reason=said("\x1b[31m {}"))))
        assert as_json(longer, texts) == as_json(longer)
        assert all(texts[number] is text for number, text in before.items())
        assert as_json(replace(result, trials=()), texts) == as_json(replace(result, trials=()))
        assert study_from_json(as_json(longer)) == longer

    def test_writing_is_atomic_and_leaves_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        write_atomically(path, "one")
        write_atomically(path, "zwö")
        assert path.read_text(encoding="utf-8") == "zwö"
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        with pytest.raises(NotReady, match="cannot write"):
            write_atomically(tmp_path / "nowhere" / "a.txt", "x")
        (tmp_path / "folder").mkdir()
        with pytest.raises(NotReady, match="cannot write"):
            write_atomically(tmp_path / "folder", "x")
        assert sorted(item.name for item in tmp_path.iterdir()) == ["a.txt", "folder"]

    def test_reports_overwrite_only_their_own(self, tmp_path: Path) -> None:
        save_results(StudyFolder(tmp_path), full_result())
        assert write_report(tmp_path, None, "html", None) == tmp_path / "report.html"
        assert write_report(tmp_path, None, "html", None) == tmp_path / "report.html"
        mine = tmp_path / "mine.md"
        mine.write_text("precious")
        with pytest.raises(InvalidInput, match="nothing was overwritten"):
            write_report(tmp_path, None, "md", mine)
        assert mine.read_text() == "precious"

    @pytest.mark.parametrize(
        ("kind", "start"), [("html", "<!DOCTYPE html>"), ("md", "## sweeper"), ("json", "{"), ("csv", "number,")]
    )
    def test_every_format(self, tmp_path: Path, kind: str, start: str) -> None:
        save_results(StudyFolder(tmp_path), full_result())
        assert render(tmp_path, None, kind).startswith(start)

    def test_two_studies(self, tmp_path: Path) -> None:
        save_results(StudyFolder(tmp_path), full_result())
        assert render(tmp_path, tmp_path, "md").startswith("## racer and racer")

    def test_a_study_folder_is_made_or_refused(self, tmp_path: Path) -> None:
        folder = StudyFolder(tmp_path / "r" / "x")
        open_folder(folder)
        assert folder.trials.is_dir()
        (folder.root / "precious").write_text("x")
        with pytest.raises(InvalidInput, match="is not empty and holds no study"):
            open_folder(folder)
        with pytest.raises(InvalidInput, match="is not empty and holds no study"):
            move_aside(folder)
        folder.storage.write_text("x")
        moved = move_aside(folder)
        assert moved == tmp_path / "r" / "x.old-1"
        assert (moved / "precious").read_text() == "x"
        open_folder(folder)
        assert move_aside(folder) == tmp_path / "r" / "x.old-2"

    def test_the_folder_we_are_in_is_not_moved(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        for root in (Path(), Path(".."), tmp_path):
            with pytest.raises(InvalidInput, match="holds the current folder and cannot be moved"):
                move_aside(StudyFolder(root))

    def test_a_question_mark_would_put_the_database_elsewhere(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="cannot hold a question mark"):
            open_folder(StudyFolder(tmp_path / "a?b"))
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "file").write_text("x")
        with pytest.raises(InvalidInput, match="is a file, not a study folder"):
            open_folder(StudyFolder(tmp_path / "file"))

    def test_a_folder_that_a_killed_run_left_can_be_used(self, tmp_path: Path) -> None:
        folder = StudyFolder(tmp_path / "x")
        open_folder(folder)
        open_folder(folder)
        assert folder.trials.is_dir()


class TestLoad:
    def test_the_command_line_has_the_last_word(self, tmp_path: Path) -> None:
        (tmp_path / "car.yaml").write_text(PPO)
        path = tmp_path / "study.yaml"
        path.write_text(STUDY_HEAD + "budget: {time: 1h, trials: 9}\n")
        study, config = load(path, Overrides())
        assert (study.spec.budget, study.spec.memory_cap) == (Budget(3600.0, 9), MemoryCap(share=0.8))
        assert config.behaviors[0].name == "Car"
        study, _ = load(path, Overrides(budget_seconds=60.0, trials=3, memory_cap=MemoryCap(bytes=5)))
        assert (study.spec.budget, study.spec.memory_cap) == (Budget(60.0, 3), MemoryCap(bytes=5))

    def test_a_run_to_start_from_must_exist(self, tmp_path: Path) -> None:
        (tmp_path / "car.yaml").write_text(PPO)
        (tmp_path / "study.yaml").write_text(STUDY_HEAD + "initialize_from: runs/old\n")
        with pytest.raises(InvalidInput, match=r"study\.yaml:4: initialize_from: no trained run at "):
            load(tmp_path / "study.yaml", Overrides())


class TestCapNote:
    """A study keeps the cap of its first run, so the note of a later one would be about another cap."""

    @pytest.mark.parametrize(("asked", "kept_gib", "caps"), [("8GiB", 8, None), ("8GiB", 5, (5 * GIB, 8 * GIB, None))])
    def test_on_resume(self, asked: str, kept_gib: int, caps: tuple[int | None, ...] | None) -> None:
        note = prepared_of(f"memory_cap: {asked}\n").note_on_cap(kept_gib * GIB)
        names = ("cap_bytes", "asked_bytes", "available_bytes")
        assert (note and tuple(note.values[name] for name in names)) == caps

    def test_a_cap_on_gpu_memory_without_a_gpu_is_told(self) -> None:
        note = FindingKind.GPU_CAP_WITHOUT_GPU
        prepared = prepared_of("space: {num_areas: [1, 2]}\ngpu_memory_cap: 8GiB\n")
        assert note in [found.kind for found in prepared.notes]
        seen = replace(prepared, machine=machine_of(gpus=("GPU A",)))
        for silent in (seen, prepared_of("space: {num_areas: [1, 2]}\n")):
            assert note not in [found.kind for found in silent.notes]

    def test_a_share_has_nothing_to_be_lowered_from(self) -> None:
        assert prepared_of("memory_cap: 50%\n").note_on_cap(5 * GIB) is None


class TestIdentity:
    def test_it_is_json_and_names_what_matters(self) -> None:
        prepared = prepared_of("space: {num_areas: [1, 2]}\nmemory_cap: 50%\n")
        identity = prepared.identity()
        assert json.loads(json.dumps(identity)) == identity
        assert identity["space"] == {"num_areas": [1, 2]}
        assert (identity["memory cap"], identity["machine"]) == ("50%", "m1")
        assert identity["build"] == {"build.x86_64": "content:1"}
        assert identity["trainer config"]["behaviors.Car.hyperparameters.batch_size"] == 128
        assert prepared.knob_values()["num_areas"] == (1, 2, 1)

    def test_a_config_that_says_the_same_in_other_words_is_the_same(self) -> None:
        """Comments, order, line ends, how numbers are written, and what trials replace anyhow."""
        plain = PPO + "      learning_rate: 3.0e-4\n"
        others = [
            "# of today\n" + plain,
            plain.replace("\n", "\r\n"),
            plain.replace("3.0e-4", "0.0003"),
            plain.replace("3.0e-4", "3e-4"),
            plain + "    max_steps: 5000000\n    checkpoint_interval: 7\n",
            plain + "checkpoint_settings: {run_id: second}\n",
        ]
        found = [prepared_of(config=text).identity()["trainer config"] for text in (plain, *others)]
        assert all(one == found[0] for one in found)

    def test_a_config_that_says_something_else_is_another(self) -> None:
        before, after = (
            prepared_of(config=text).identity()
            for text in (PPO, PPO + "      num_epoch: 8\nengine_settings: {time_scale: 5}\n")
        )
        assert differences(before, after) == [
            "trainer config: behaviors.Car.hyperparameters.num_epoch is new, engine_settings.time_scale is new"
        ]

    def test_other_shares_are_other_studies(self) -> None:
        shares = [
            prepared_of(f"space: {{num_areas: [1, 2]}}\nmemory_cap: {cap}\n").memory_cap_as_asked
            for cap in ("12%", "12.4%")
        ]
        assert shares[0] != shares[1]


def test_being_asked_to_stop() -> None:
    stop = StopSignal()
    stop.check()
    assert not stop.asked()
    stop.ask(ExitCode.TERMINATED)
    stop.ask(ExitCode.INTERRUPTED)
    assert stop.asked()
    with pytest.raises(Interrupted) as caught:
        stop.check()
    assert caught.value.exit_code is ExitCode.TERMINATED


def test_a_link_to_nothing_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").symlink_to("gone.yaml")
    with pytest.raises(NotReady, match=r"study\.yaml: it is a link to gone\.yaml, which is not there"):
        write_atomically(tmp_path / "study.yaml", "x")
    assert (tmp_path / "study.yaml").is_symlink()
