"""The reports, tested on data."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from typing import Any

import html5lib
import pytest

from sweeper.model.measurement import Note, NoteKind
from sweeper.model.study import IntervalFrom, NoFewerUpdates, Speedup, StudyResult, Verdict, study_from_json, to_json
from sweeper.model.trial import Outcome
from sweeper.report.data import as_comparison, as_csv, as_json, as_markdown
from sweeper.report.html import render_html
from sweeper.report.words import (
    OUTCOME_WORDS,
    command_text,
    error_text,
    headline,
    interval_text,
    memory_text,
    params_text,
    prediction_text,
    speedup_text,
    value_text,
)
from tests.helpers.builders import GIB, machine_of, params_of, trial_of
from tests.helpers.results import FAST, OWN, full_result, info_of

EVIL = '<script>alert("x")</script>'


def parsed(text: str) -> Any:
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def text_of(page: Any) -> str:
    return " ".join("".join(page.itertext()).split())


@pytest.fixture(scope="module")
def page() -> str:
    return render_html(full_result())


def test_html_is_valid_and_says_the_answer(page: str) -> None:
    text = text_of(parsed(page))
    assert "A faster configuration was found" in text
    assert "num_envs 4, num_areas 4, batch_size 256, threaded false trains at 2,000 steps/s: 2.00 times as fast" in text
    assert "95 %: 1.80 to 2.20" in text
    assert "Cannot be told apart from it: num_envs 2, num_areas 4, batch_size 256, threaded false." in text
    assert "mlagents-learn /r/best.yaml '--env=/b/my build'" in text
    assert "The space was derived." in text
    assert "Trial 2, crashed: num_envs 8" in text
    assert "it broke" in text
    assert "mend it" in text
    assert "GPU A" in text
    assert "4 trials in 10m 00s of 20m 00s; ended because of: budget" in text


def test_html_has_a_row_a_trial(page: str) -> None:
    table = parsed(page).findall(".//table")[0]
    rows = [[("".join(cell.itertext())).strip() for cell in row] for row in table.iter("tr")]
    assert rows[0][:7] == ["#", "purpose", "num_envs", "num_areas", "batch_size", "threaded", "outcome"]
    assert rows[1] == [
        "0", "baseline", "1", "1", "128", "false", "measured", "1,000", "2.0 %", "8", "1.0 GiB", "0.50", "20.0", "", "",
        "30",
    ]  # fmt: skip
    assert rows[3] == ["2", "search", "8", "16", "128", "false", "crashed", "", "", "", "", "", "", "", "", "30"]
    assert rows[4][-3:] == ["environment", "3 %", "30"]
    assert len(rows) == 5


def test_html_says_what_was_disturbed(page: str) -> None:
    tables = parsed(page).findall(".//table")
    (rows,) = (
        [["".join(cell.itertext()).strip() for cell in row] for row in table.iter("tr")]
        for table in tables
        if "disturbed" in ["".join(cell.itertext()).strip() for cell in table.iter("th")]
    )
    assert rows[1:] == [["4", "4", "256", "false", "2", "1"]]
    quiet = render_html(full_result(configurations=()))
    assert "What was disturbed" in page
    assert "What was disturbed" not in quiet


def test_html_has_the_notes_on_single_trials(page: str) -> None:
    (notes,) = (
        "".join(item.itertext()).strip() for item in parsed(page).iter("li") if "Trial 9" in "".join(item.itertext())
    )
    assert notes == "Trial 9, num_envs 4, num_areas 4, batch_size 256, threaded false: noisy"
    assert "Notes on 1 of these trials" in page
    bare = full_result(trials=full_result().trials[:1])
    assert "of these trials" not in render_html(bare)


def test_html_compares_with_what_updates_as_often() -> None:
    page = text_of(parsed(render_html(full_result())))
    assert "The fastest configuration that updates at least as often per step as your own: num_envs 2" in page
    own = full_result(best_with_no_fewer_updates=NoFewerUpdates(OWN, 1000.0, None))
    page = text_of(parsed(render_html(own)))
    assert "nothing that updates at least as often was faster" in page
    assert "The fastest configuration that updates" not in page


def test_html_says_why() -> None:
    result = full_result()
    own, *others, best = result.trials
    texts = (replace(own, bottleneck_text="Players are slow."), *others, replace(best, bottleneck_text="Updates are."))
    text = text_of(parsed(render_html(replace(result, trials=texts))))
    assert "Your settings. Players are slow." in text
    assert "The recommended settings. Updates are." in text
    assert "Green: recommended." in text
    assert result.best is not None
    first = replace(result, verdict=Verdict.UNCONFIRMED, best=replace(result.best, verdict=Verdict.UNCONFIRMED))
    text = text_of(parsed(render_html(replace(first, trials=texts))))
    assert "What looks fastest. Updates are." in text
    assert "Green: looks fastest." in text


def test_html_needs_nothing_from_elsewhere(page: str) -> None:
    tree = parsed(page)
    assert not [item for item in tree.iter() if item.tag in ("script", "link", "iframe", "img", "object", "embed")]
    for item in tree.iter():
        for name, value in item.attrib.items():
            assert not str(name).lower().startswith("on"), name
            if str(name).endswith(("href", "src")) or "}href" in str(name):
                assert value.startswith(("#", "trials/")), value
    assert "@import" not in page
    assert all(match.startswith("url(#") for match in re.findall(r"url\([^)]*", page))


def test_html_ids_are_unique_and_references_hold(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) > 0
    assert set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


def evil() -> StudyResult:
    result = full_result()
    trials = tuple(
        replace(
            trial,
            message=EVIL,
            diagnosis=EVIL,
            log_tail=(EVIL, "]]>", "&amp;"),
            params={**trial.params, "hyperparameters.learning_rate_schedule": EVIL},
        )
        for trial in result.trials
    )
    best = result.best
    assert best is not None
    return replace(
        result,
        study=info_of(name=EVIL, stopped_because=EVIL, started_at=EVIL),
        machine=machine_of(cpu_model=EVIL, os=EVIL, gpus=(EVIL,), torch=EVIL),
        warnings=(Note(NoteKind.SPACE_DERIVED, EVIL),),
        best=replace(best, command=(EVIL,), params={"a": EVIL}),
        trials=trials,
    )


def test_html_escapes_everything() -> None:
    text = render_html(evil())
    assert "<script" not in text.lower()
    tree = parsed(text)
    assert not list(tree.iter("script"))
    assert text_of(tree).count('alert("x")') >= 12


def test_html_is_the_same_for_the_same_input(page: str) -> None:
    assert render_html(study_from_json(json.dumps(to_json(full_result())))).encode() == page.encode()


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        (
            {"verdict": None, "best": None, "trials": (), "study": info_of(stopped_because=None)},
            "This study is still running",
        ),
        ({"verdict": None, "best": None, "trials": ()}, "No configuration was measured"),
        (
            {"verdict": Verdict.NONE_FEASIBLE, "best": None, "best_with_no_fewer_updates": None},
            "No configuration is feasible",
        ),
        ({"verdict": Verdict.KEEP_YOURS}, "Keep your settings"),
        ({"verdict": Verdict.UNCONFIRMED}, "A first answer, not yet confirmed"),
    ],
)
def test_html_of_every_verdict(fields: dict[str, Any], title: str) -> None:
    tree = parsed(render_html(full_result(**fields)))
    assert tree.findtext(".//h1") == title
    assert tree.findtext(".//title") == f"racer: {title}"


def test_html_of_bare_trials() -> None:
    bare = trial_of(0, OWN, None, outcome=Outcome.NO_STEPS, peak_memory_bytes=None, updates_per_1000_steps=None)
    tree = parsed(render_html(full_result(trials=(bare,), best=None, verdict=Verdict.NONE_FEASIBLE)))
    assert not list(tree.iter("svg"))
    assert "Trial 0, no steps" in text_of(tree)


def test_json_is_results_json() -> None:
    result = full_result()
    assert as_json(result).endswith("}\n")
    assert study_from_json(as_json(result)) == result
    assert as_json(result) == as_json(result)


def test_csv_is_a_row_a_trial() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(full_result()))))
    assert len(rows) == 4
    assert [row["params.num_envs"] for row in rows] == ["1", "2", "8", "4"]
    assert rows[0]["params.threaded"] == "False"
    assert (rows[0]["steps_per_second"], rows[0]["interval.low"], rows[0]["outcome"]) == ("1000", "980", "ok")
    assert (rows[2]["steps_per_second"], rows[2]["interval.low"], rows[2]["outcome"]) == ("", "", "crashed")
    assert rows[3]["updates_per_1000_steps.gradient"] == "20"
    assert float(rows[0]["peak_memory_bytes"]) == GIB
    assert [row["warnings"] for row in rows] == ["", "", "", "not_precise"]


def test_csv_without_trials() -> None:
    assert as_csv(full_result(trials=())).strip() in ("", '""')


def test_csv_keeps_whole_numbers_whole() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(full_result()))))
    assert rows[0]["cycles"] == "8"
    assert rows[0]["peak_memory_bytes"] == str(GIB)


def test_markdown() -> None:
    lines = as_markdown(full_result()).splitlines()
    assert lines[0] == "## sweeper: racer"
    assert lines[2].startswith("num_envs 4, num_areas 4, batch_size 256, threaded false trains at 2,000 steps/s")
    assert lines[4] == "| configuration | steps/s | 95 % | sessions | peak memory |"
    assert lines[6:9] == [
        "| num_envs 4, num_areas 4, batch_size 256, threaded false | 2,000 | 1,900 to 2,100 | 1 | 1.0 GiB |",
        "| num_envs 2, num_areas 1, batch_size 128, threaded false | 1,500 | – | 1 | 1.0 GiB |",
        "| num_envs 1, num_areas 1, batch_size 128, threaded false | 1,000 | 980 to 1,020 | 1 | 1.0 GiB |",
    ]
    assert lines[10].startswith("Intervals (95 %) are of a configuration's mean")
    assert lines[12:] == ["- The space was derived."]


def test_markdown_shows_the_ten_fastest_in_order() -> None:
    pooled = tuple(
        replace(full_result().configurations[0], params=params_of(number + 1), sessions=number) for number in range(15)
    )
    text = as_markdown(full_result(configurations=pooled))
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| num_envs")]
    assert [row[0].split(",")[0] for row in rows] == [f"| num_envs {number + 1}" for number in range(10)]
    assert [row[3] for row in rows] == [str(number) for number in range(10)]


def test_comparison() -> None:
    text = as_comparison(full_result(), full_result(study=info_of(name="other"), best=None))
    assert text.startswith("## racer and other\n")
    assert "different machines" not in text
    assert "| steps/s | 2,000 | – |" in text
    assert "| speed-up over its baseline | 2.00x (95 %: 1.80 to 2.20) | – |" in text
    assert "numbers are not comparable" in as_comparison(full_result(), full_result(machine=machine_of(key="m2")))


class TestWords:
    def test_every_outcome_has_words(self) -> None:
        assert set(OUTCOME_WORDS) == set(Outcome)

    def test_values(self) -> None:
        assert [value_text(value) for value in (None, True, False, 10240, 0.5, "linear")] == [
            "as configured", "true", "false", "10240", "0.5", "linear",
        ]  # fmt: skip

    def test_params(self) -> None:
        assert params_text({"hyperparameters.buffer_size": 2048, "threaded": True}) == "buffer_size 2048, threaded true"
        assert params_text({}) == "–"

    def test_speedups(self) -> None:
        assert speedup_text(None) == "–"
        assert speedup_text(Speedup(2.341, None)) == "2.34x"
        assert interval_text(Speedup(2.0, (1.8, 2.25))) == " (95 %: 1.80 to 2.25)"

    def test_memory_and_command(self) -> None:
        assert memory_text(None, GIB) == "–"
        assert memory_text(GIB // 2, GIB) == "512 MiB of 1.0 GiB"
        assert command_text(("a", "b c", "$x")) == "a 'b c' '$x'"

    def test_headlines(self) -> None:
        result = full_result()
        best = result.best
        assert best is not None
        assert headline(result).endswith("2.00 times as fast as your settings (95 %: 1.80 to 2.20).")
        keep = replace(result, best=replace(best, verdict=Verdict.KEEP_YOURS, speedup=None))
        assert headline(keep).startswith("Keep your settings (num_envs 4")
        first = replace(result, best=replace(best, verdict=Verdict.UNCONFIRMED, speedup=Speedup(2.0, None)))
        assert "looks fastest at 2,000 steps/s, about 2.00 times your settings; unconfirmed" in headline(first)
        left_open = replace(result, best=replace(best, verdict=Verdict.UNCONFIRMED, speedup=Speedup(2.0, (0.5, 8.0))))
        assert (
            "about 2.00 times your settings (95 %: 0.50 to 8.00); unconfirmed: the sessions side by side"
            in headline(left_open)
        )
        only = replace(result, best=replace(best, verdict=Verdict.UNCONFIRMED, speedup=None, params=OWN))
        assert headline(only).startswith("Only your settings were measured")
        alone = replace(result, best=replace(best, verdict=Verdict.UNCONFIRMED, speedup=None, params=FAST))
        assert headline(alone).endswith("your own settings could not be measured beside it.")
        assert headline(replace(result, best=None)) == "No configuration is feasible; the last one: it broke."
        assert headline(replace(result, best=None, trials=())) == "No configuration was measured."


def test_whence_the_answers_figures_are() -> None:
    result = full_result()
    assert result.best is not None
    assert error_text(result).endswith("The answer's own speed and speed-up are from confirmation sessions only.")
    chose = replace(result, best=replace(result.best, interval_from=IntervalFrom.CONFIRMED_CHOICE))
    assert error_text(chose).endswith("from confirmation sessions, which also chose it only.")
    kept = replace(result, best=replace(result.best, verdict=Verdict.KEEP_YOURS, speedup=None))
    assert "The answer's own" not in error_text(kept)


def test_the_closest_where_nothing_is_faster() -> None:
    result = full_result()
    assert result.best is not None
    kept = replace(result.best, verdict=Verdict.KEEP_YOURS, speedup=None, params=OWN)
    judged = replace(result.configurations[0], speedup=Speedup(1.03, (0.98, 1.08)))
    found = headline(replace(result, best=kept, verdict=Verdict.KEEP_YOURS, configurations=(judged,)))
    assert found.endswith("came closest with 1.03 times their speed (95 %: 0.98 to 1.08).")


def test_own_settings_that_break_the_cap() -> None:
    result = full_result()
    assert result.best is not None
    small = replace(result, reference=params_of(2))
    found = headline(small)
    assert found.startswith("Your own settings break the memory cap of 8.0 GiB (stopped at 1.0 GiB). Of what fits, ")
    assert "2.00 times as fast as the smallest that fits (95 %: 1.80 to 2.20)" in found
    assert "against the smallest that fits" in render_html(small)
    alone = replace(small, best=replace(result.best, speedup=None))
    assert "is the smallest, and nothing was shown to be faster" in headline(alone)
    left_open = replace(small, best=replace(result.best, verdict=Verdict.UNCONFIRMED))
    assert headline(left_open).endswith("; unconfirmed.")


def test_predictions_are_judged_by_what_was_measured_and_vetoes_are_never_silent() -> None:
    vetoed = trial_of(5, FAST, None, outcome=Outcome.VETOED, predicted_memory_bytes=(9.0, 10.0), peak_memory_bytes=None)
    inside = trial_of(6, FAST, 900.0, predicted_memory_bytes=(0.5 * GIB, 2.0 * GIB), peak_memory_bytes=GIB)
    outside = trial_of(7, FAST, 900.0, predicted_memory_bytes=(2.0 * GIB, 3.0 * GIB), peak_memory_bytes=GIB)

    def text(*trials: Any) -> str | None:
        return prediction_text(replace(full_result(), trials=trials))

    assert text(trial_of(1, OWN, 900.0)) is None
    assert text(inside, outside) == ("1 of 2 measured peaks fell into the interval (99 %) predicted before the trial.")
    assert text(vetoed) == (
        "1 configuration was not launched because it was sure to break the cap. "
        "No prediction could be checked against a measurement yet."
    )
    assert (text(vetoed, vetoed, inside) or "").startswith("2 configurations were not launched because they were sure")
