"""A whole study with the default strategy, on scripted sessions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.app.drive import EXHAUSTED
from sweeper.app.manner import Manner
from sweeper.model.events import StageChanged
from sweeper.model.study import Verdict
from sweeper.model.trial import LearnerStart, Outcome, Purpose, Stage, TrialResult, configuration_key
from sweeper.search.strategies import STRATEGIES
from tests.helpers.builders import PPO, config_of, params_of, trial_of
from tests.helpers.scripted import MemoryStore, Scripted, scripted


def phased(seconds: float = 1200.0) -> Scripted:
    study = scripted(seconds)
    study.prepared = replace(study.prepared, strategy=STRATEGIES["phase"])
    return study


def test_it_settles_and_confirms_before_the_budget_is_spent() -> None:
    study = phased(3600.0)
    reason = study.run()
    assert reason == EXHAUSTED or "expected to be gained" in reason
    assert study.store.spent_seconds < 3600.0
    result = study.conclusion()
    assert result.verdict is Verdict.BETTER
    assert result.best is not None
    assert (result.best.params["num_envs"], result.best.params["num_areas"]) == (4, 4)
    assert result.best.interval_from is not None
    assert "confirmation" in result.best.interval_from.value


def test_its_sessions_are_brief_and_the_confirmations_are_not() -> None:
    study = phased()
    study.run()
    limits = study.prepared.subject.study.spec.measure.limits(1200.0)
    for session, trial in zip(study.runner.sessions, study.results):
        is_brief = trial.stage in (Stage.PILOT, Stage.SEARCH)
        assert session.rule.is_brief is is_brief
        if not is_brief:
            assert (session.rule.min_seconds, session.rule.max_seconds) == limits
            assert not trial.brief


def test_its_sessions_are_forked_and_those_that_confirm_are_the_plain_command() -> None:
    study = phased()
    study.run()
    for session, trial in zip(study.runner.sessions, study.results):
        is_searching = trial.stage in (Stage.PILOT, Stage.SEARCH)
        assert session.plan.learner_start is (LearnerStart.WARM if is_searching else LearnerStart.COLD)


def test_a_study_may_ask_for_the_plain_command_always() -> None:
    study = phased()
    subject = study.prepared.subject
    spec = subject.study.spec.model_copy(update={"learner_start": LearnerStart.COLD})
    study.prepared = replace(study.prepared, subject=replace(subject, study=replace(subject.study, spec=spec)))
    study.run()
    assert {session.plan.learner_start for session in study.runner.sessions} == {LearnerStart.COLD}


def test_two_searching_sessions_are_asked_for_all_batch_sizes() -> None:
    """Whether or not they told; none that confirms, and none whose updates run beside collecting."""
    study = phased()
    study.run()
    asked = [session.plan.batch_sizes for session in study.runner.sessions]
    by_trial = list(zip(asked, study.results))
    telling = [trial for sizes, trial in by_trial if sizes]
    assert [sizes for sizes in asked if sizes] == [(64, 128, 256)] * 2
    assert not any(trial.params.get("threaded") for trial in telling)
    first = [t for t in study.results if t.stage in (Stage.PILOT, Stage.SEARCH) and not t.params.get("threaded")]
    assert telling == first[:2]


def test_a_batch_size_of_yours_outside_the_space_is_told_too() -> None:
    """Without it nothing could be said of the others: they are told beside it."""
    study = phased()
    manner = Manner(study.prepared, study.prepared.history(()))
    assert manner.batch_sizes(params_of(batch=96), Stage.PILOT) == (64, 128, 256, 96)


def test_what_is_left_to_gain_is_said_on_the_way() -> None:
    study = phased()
    study.run()
    told = [event.text for event in study.events if isinstance(event, StageChanged)]
    assert any("more speed is expected to be left" in text for text in told)


def test_a_resume_goes_on_where_it_stopped_and_a_finished_study_stays_finished() -> None:
    whole, parts = phased(), phased()
    whole.run()
    parts.prepared = replace(parts.prepared, budget=replace(parts.prepared.budget, seconds=150.0))
    parts.run()
    parts.prepared = replace(parts.prepared, budget=whole.prepared.budget)
    parts.run()
    searched = [[t.params for t in study.of(Purpose.SEARCH)] for study in (whole, parts)]
    shorter = min(map(len, searched))
    assert searched[0][: shorter - 1] == searched[1][: shorter - 1]
    count = len(parts.results)
    parts.run()
    assert len(parts.results) == count


@pytest.mark.parametrize(
    ("inert", "acting", "other", "agents_if_it_acts"),
    [
        ("num_areas", "num_envs", trial_of(1, params_of(2, 4), 1500.0, agents=8.0), 32.0),
        ("num_envs", "num_areas", trial_of(1, params_of(2, 1), 900.0, agents=4.0), 8.0),
    ],
)
def test_a_knob_that_adds_no_agents_is_not_searched_any_more(
    inert: str, acting: str, other: TrialResult, agents_if_it_acts: float
) -> None:
    study = phased()
    own = trial_of(0, params_of(1, 1), 1000.0, Purpose.BASELINE, agents=4.0, stage=Stage.PILOT)
    told = study.prepared.question(study.prepared.history([own, other])).space
    assert inert not in told.knobs
    assert acting in told.knobs
    assert {params[inert] for params in told.legal} == {study.prepared.space.baseline[inert]}
    assert not told.contains(other.params)
    more = [own, replace(other, agents=agents_if_it_acts)]
    assert inert in study.prepared.question(study.prepared.history(more)).space.knobs


def test_with_self_play_they_race_against_nobody_and_count_steps() -> None:
    study = phased()
    manner = Manner(study.prepared, study.prepared.history([trial_of(0, purpose=Purpose.BASELINE)]))
    alone, played = (config_of(PPO + more).behaviors for more in ("", "    self_play: {save_steps: 100}\n"))
    rule = manner.rule(alone, Stage.SEARCH, None, 600.0)
    assert (rule.cut.in_decisions, rule.rival) == (True, pytest.approx(1000.0))
    rule = manner.rule(played, Stage.SEARCH, None, 600.0)
    assert (rule.cut.in_decisions, rule.rival) == (False, None)


def test_sessions_of_the_search_race_against_the_fastest() -> None:
    study = phased()
    study.run()
    for at, (session, trial) in enumerate(zip(study.runner.sessions, study.results)):
        if trial.stage is Stage.SEARCH:
            fastest = study.prepared.history(study.results[:at]).ranked[0].steps_per_second
            assert session.rule.rival == fastest
        else:
            assert session.rule.rival is None


def test_one_that_was_outpaced_is_not_tried_again_and_wins_nothing() -> None:
    study = phased()
    own = trial_of(0, study.prepared.space.baseline, 1000.0, Purpose.BASELINE, stage=Stage.PILOT)
    slow = {**study.prepared.space.baseline, "num_areas": 4, "num_envs": 4}
    outpaced = trial_of(1, slow, outcome=Outcome.OUTPACED, collecting_steps_per_second=300.0)
    study.store = MemoryStore([own, outpaced])
    study.run()
    assert slow not in [session.plan.params for session in study.runner.sessions]
    best = study.conclusion().best
    assert best is None or best.params != slow


def test_a_study_says_once_that_areas_are_left_out() -> None:
    study = phased()
    own = study.prepared.space.baseline
    other = {**own, "num_areas": 4, "num_envs": 2}
    study.store = MemoryStore(
        [
            trial_of(0, own, 1000.0, Purpose.BASELINE, agents=4.0, stage=Stage.PILOT),
            trial_of(1, other, 1500.0, agents=8.0),
        ]
    )
    study.run()
    said = [event.text for event in study.events if isinstance(event, StageChanged)]
    assert sum("whatever num_areas says" in text for text in said) == 1
    contenders = {t.key: t.params for t in study.results if t.stage is Stage.CONFIRMATION}
    assert len({configuration_key({**params, "num_areas": 0}) for params in contenders.values()}) == len(contenders) > 1
    assert all(session.plan.params["num_areas"] in (1, 4) for session in study.runner.sessions)
    searched = [t for t in study.results[2:] if t.stage is Stage.SEARCH]
    assert {trial.params["num_areas"] for trial in searched} <= {own["num_areas"]}
