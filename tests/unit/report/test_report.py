"""The reports, tested on data."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import html5lib
import pytest

from sweeper.model.findings import Bottleneck, FindingKind
from sweeper.model.study import NoFewerUpdates, Pooled, StudyResult, Verdict, study_from_json, to_json
from sweeper.model.trial import Outcome
from sweeper.report import panels
from sweeper.report.data import as_comparison, as_csv, as_json, as_markdown
from sweeper.report.drawing import why_nothing_can_be_drawn
from sweeper.report.html import ORDER, render_html
from sweeper.report.words.session_notes import session_note
from tests.helpers.builders import GIB, machine_of, params_of, said, trial_of
from tests.helpers.results import NOISY, OWN, full_result, info_of

EVIL = '<script>alert("x")</script>'


def parsed(text: str) -> Any:
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def text_of(page: Any) -> str:
    return " ".join("".join(page.itertext()).split())


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The cells of the one table that has a column of this name, its header first."""
    tables = parsed(page).findall(".//table")
    found = [[["".join(cell.itertext()).strip() for cell in row] for row in table.iter("tr")] for table in tables]
    (rows,) = (rows for rows in found if heading in rows[0])
    return rows


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
    assert "it was derived from this machine" in text
    assert "Trial 2, crashed: num_envs 8" in text
    assert "it broke" in text
    assert "mend it" in text
    assert "GPU A" in text
    assert "4 trials in 10m 00s of 20m 00s; ended because of: budget" in text


def test_html_has_a_row_a_trial(page: str) -> None:
    rows = rows_of(page, "purpose")
    assert rows[0][:7] == ["#", "purpose", "num_envs", "num_areas", "batch_size", "threaded", "outcome"]
    assert rows[1] == [
        "0", "baseline", "1", "1", "128", "false", "measured", "1,000", "2.0 %", "8", "1.0 GiB", "0.50", "20.0", "", "",
        "30",
    ]  # fmt: skip
    assert rows[3] == ["2", "search", "8", "16", "128", "false", "crashed", "", "", "", "", "", "", "", "", "30"]
    assert rows[4][-3:] == ["update", "3 %", "30"]
    assert len(rows) == 5


def test_html_says_which_rules_of_the_guide_held(page: str) -> None:
    assert "Of 6 that these trials tell about, 3 held here." in text_of(parsed(page))
    assert rows_of(page, "The guide says")[1:] == [
        [
            "4 environments, one area each, for this many cores",
            "4 environments x 4 areas in the answer above",
            "did not hold",
        ],
        ["2 environments: 1.8 times as fast as one", "1.50 times", "open: too few sessions"],
        ["4 environments x 2 areas: 5.5 times as fast as one", "2.10 times (1.90 to 2.30)", "did not hold"],
        ["1 environment: 1 to 2 cores", "1.5 of 8 cores busy", "held"],
        ["a Unity instance: 0.5 to 2 GB", "200 MiB a player", "did not hold"],
        ["4 environments: 2 to 8 GB", "3.0 GiB, the learner included", "held"],
        ["more environments use the GPU more", "+22 % of it with 8 environments", "held"],
    ]
    assert "rules of thumb" not in text_of(parsed(render_html(full_result(guide=()))))


def test_html_says_what_was_disturbed(page: str) -> None:
    assert rows_of(page, "disturbed")[1:] == [["4", "4", "256", "false", "2", "1"]]
    quiet = render_html(full_result(configurations=()))
    assert "What was disturbed" in page
    assert "What was disturbed" not in quiet


def test_html_has_the_notes_on_single_trials(page: str) -> None:
    (notes,) = (
        "".join(item.itertext()).strip() for item in parsed(page).iter("li") if "Trial 9" in "".join(item.itertext())
    )
    assert notes == f"Trial 9, num_envs 4, num_areas 4, batch_size 256, threaded false: {session_note(NOISY)}"
    assert "Notes on 1 of these trials" in page
    bare = full_result(trials=full_result().trials[:1])
    assert "of these trials" not in render_html(bare)


def test_html_compares_with_what_updates_as_often() -> None:
    page = text_of(parsed(render_html(full_result())))
    assert "The fastest configuration that updates at least as often per step as your settings: num_envs 2" in page
    own = full_result(best_with_no_fewer_updates=NoFewerUpdates(OWN, 1000.0, None))
    page = text_of(parsed(render_html(own)))
    assert "nothing that updates at least as often was faster" in page
    assert "The fastest configuration that updates" not in page


def test_html_says_why() -> None:
    result = full_result()
    own, *others, best = result.trials
    texts = (replace(own, bottleneck=Bottleneck.PLAYERS), *others, best)
    text = text_of(parsed(render_html(replace(result, trials=texts))))
    assert "Your settings. The players are the bottleneck. More environments" in text
    assert "The recommended settings. Policy updates are the bottleneck: policy updates take 60% of the time" in text
    assert "Green: recommended. Orange: your settings." in text
    assert result.best is not None
    first = replace(result, verdict=Verdict.UNCONFIRMED, best=replace(result.best, verdict=Verdict.UNCONFIRMED))
    text = text_of(parsed(render_html(replace(first, trials=texts))))
    assert "What looks fastest. Policy updates are" in text
    assert "Green: looks fastest." in text


def test_html_where_the_users_own_settings_break_the_cap() -> None:
    result = full_result(reference=OWN)
    assert result.baseline is not None
    own = replace(result.baseline, params=params_of(8, 16), steps_per_second=None)
    text = text_of(parsed(render_html(replace(result, baseline=own))))
    assert "Your own settings break the memory cap of 8.0 GiB" in text
    assert "against the smallest that fits2.00x" in text
    assert "Orange: the smallest that fits." in text
    assert "your settings" not in text


def test_html_says_where_the_cap_is() -> None:
    near = text_of(parsed(render_html(full_result(memory_cap_bytes=int(1.5 * GIB)))))
    assert "The dashed line is the memory cap, 1.5 GiB." in near
    far = text_of(parsed(render_html(full_result(memory_cap_bytes=8 * GIB))))
    assert "The memory cap, 8.0 GiB, lies far to the right." in far


def test_every_panel_has_its_template() -> None:
    folder = Path(str(panels.__file__)).parent
    names = {panel.__name__.rpartition(".")[2] for panel in ORDER}
    assert {path.stem for path in folder.glob("*.html")} == names | {"page", "style"}
    assert {path.stem for path in folder.glob("*.py")} == names | {"__init__"}


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
            reason=said(EVIL),
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
        warnings=(said(EVIL, FindingKind.SPACE_DERIVED),),
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


def test_json_has_the_sentences_beside_the_values() -> None:
    data = json.loads(as_json(full_result()))
    (note,) = data["warnings"]
    assert (note["kind"], note["values"]) == ("space_derived", {})
    assert note["text"].startswith("The study file names no space")
    assert [trial["message"] for trial in data["trials"]] == [None, None, "it broke", "progress stopped"]
    assert data["trials"][3]["warnings"][0]["text"] == session_note(NOISY)
    assert data["trials"][3]["bottleneck_text"].startswith("Policy updates are the bottleneck: ")
    assert data["best"]["bottleneck_text"] == data["trials"][3]["bottleneck_text"]


def test_json_keeps_what_an_earlier_version_said() -> None:
    old = full_result(warnings=(said("As it was said.", FindingKind.TREND),))
    again = study_from_json(as_json(old))
    assert again == old
    assert json.loads(as_json(again))["warnings"][0]["text"] == "As it was said."


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
    assert lines[12:] == ["- The study file names no space; it was derived from this machine."]


def test_markdown_shows_the_ten_fastest_that_are_feasible() -> None:
    items = [Pooled(params_of(15 - at), 115.0 - at, None, None, 1, 0, True, (115.0 - at,)) for at in range(14)]
    odd = Pooled(params_of(99), 900.0, None, None, 1, 0, False, (900.0,))
    none = Pooled(params_of(98), None, None, None, 0, 1, None)
    lines = as_markdown(full_result(configurations=(odd, *items, none))).splitlines()
    rows = [line for line in lines if line.startswith("| num_envs")]
    assert [row.split(",")[0] for row in rows] == [f"| num_envs {number}" for number in range(15, 5, -1)]


def test_comparison() -> None:
    text = as_comparison(full_result(), full_result(study=info_of(name="other"), best=None))
    assert text.startswith("## racer and other\n")
    assert "different machines" not in text
    assert "| steps/s | 2,000 | – |" in text
    assert "| speed-up over its baseline | 2.00x (95 %: 1.80 to 2.20) | – |" in text
    assert "numbers are not comparable" in as_comparison(full_result(), full_result(machine=machine_of(key="m2")))


def test_a_figure_that_cannot_be_drawn_leaves_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with fonts or folders that matplotlib cannot read."""

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("<no fonts>")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", broken)
    page = render_html(full_result())
    assert page.count("This figure could not be drawn (RuntimeError: &lt;no fonts&gt;).") == 2
    assert why_nothing_can_be_drawn() == "RuntimeError: <no fonts>"


def test_a_users_own_style_is_for_other_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib

    plain = render_html(full_result())
    with matplotlib.rc_context({"axes.facecolor": "black", "text.usetex": True, "lines.linewidth": 9.0}):
        assert render_html(full_result()) == plain
