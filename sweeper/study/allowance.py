"""What a study's budget allows next: search, anchors, finals, and a confirmation for which enough is kept.

Time is what passes between the ends of two trials: waiting for quiet, starting, drawing and storage are paid from the
budget like measuring.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sweeper.compare.contrast import (
    PRIOR_DEGREES,
    PRIOR_SESSION_DEVIATION,
    PRIOR_SESSION_EFFECT,
    PRIOR_SESSION_EFFECT_DEGREES,
    PRIOR_SLICE_DEVIATION,
)
from sweeper.compare.looks import MIN_ROUNDS, rounds_to_show
from sweeper.inputs.study_limits import Budget
from sweeper.measure.rate import MIN_CYCLES
from sweeper.model.measurement import Method
from sweeper.model.study import Stopped
from sweeper.model.trial import LearnerStart, Purpose, Stage, TrialResult
from sweeper.study.confirmation import LEADERS, MAX_ROUNDS, Confirmation
from sweeper.study.history import History
from sweeper.study.rounds import MAX_SLICE_SECONDS, SLICES, Round, cycle_seconds, turns_of

CONFIRM_SHARE = 0.25
"""Of the budget: the most that is kept for the confirmation where the leaders are close (docs/sources.md, 9)."""
SHRINKAGE = 0.7
"""Of the leader's apparent advantage that is believed when the confirmation is planned: the fastest one flatters."""
FINALS = (8, 4)
"""Sizes of rounds among the leaders, before the best two are confirmed (docs/sources.md, 8.2)."""
MARGIN = 1.15
"""Sessions of one configuration differ in length: start-up, and a cycle more or less."""
ANCHOR_EVERY = 8
"""Search trials between two sessions of the reference (docs/sources.md, 8.2)."""
PILOT_SHARE = 0.1
"""Of the remaining budget that a second pilot session may cost, start-up included."""
SAME_SECONDS = 1e-6
FIRST_SEARCHED = 4
"""Brief sessions of the search before more is kept than one round of two: the difference that they find may need no
second one, and without them there is nothing worth confirming."""
MAX_BROKEN_TURNS = 2
"""Rounds in turn that may break before the study measures whole sessions only: one may have been bad luck."""


@dataclass(frozen=True)
class Allowance:
    """What a budget allows, given what was measured so far. Seconds and bytes.

    `may_run_in_turn`: False where the learner's players are not ours to suspend, as in the Editor. `is_brief`: the
    search has sessions as short as its question allows, repeats what needs it, and knows the leaders without finals;
    `confirming_limit`: seconds that a session of the confirmation measures at most.
    """

    history: History
    budget: Budget
    spent_seconds: float
    cap_bytes: int
    seconds_to_deadline: float = math.inf
    may_run_in_turn: bool = True
    is_brief: bool = False
    confirming_limit: float = 0.0

    @cached_property
    def confirmation(self) -> Confirmation:
        """What the confirmation says so far."""
        return Confirmation(self.history)

    @property
    def remaining_seconds(self) -> float:
        """Of the study's total, and to the time by which it must have ended."""
        return max(0.0, min(self.budget.seconds - self.spent_seconds, self.seconds_to_deadline))

    @cached_property
    def remaining_trials(self) -> float:
        """Of the study's total, some left out; infinite without a limit."""
        counted = sum(trial.outcome.uses_limit for trial in self.history)
        return math.inf if self.budget.trials is None else max(0, self.budget.trials - counted)

    @property
    def is_spent(self) -> bool:
        """Whether nothing more can be measured."""
        return self.remaining_seconds <= 0 or self.remaining_trials < 1

    def session_seconds(self, key: str | None = None) -> float:
        """What a whole session is expected to take: as its configuration did, else as the reference or the search."""
        found = self.history.by_key.get(key) if key is not None else None
        own = [self._whole_cost(trial) for trial in found.measured if not trial.slices] if found else []
        if own:
            return MARGIN * sum(own) / len(own)
        return MARGIN * max(self._mean_costs, default=0.0)

    @cached_property
    def search_seconds(self) -> float:
        """What the next session of the search is expected to take."""
        searched = [
            trial for trial in self.history.counted if trial.is_ok and trial.stage in (Stage.PILOT, Stage.SEARCH)
        ]
        brief = [trial.taken_seconds for trial in searched if trial.brief]
        whole = [trial.taken_seconds for trial in searched if trial.purpose is Purpose.SEARCH]
        known = brief or whole  # as they start in a search, which is sooner than where they confirm
        return MARGIN * sum(known) / len(known) if known else self.session_seconds()

    def _whole_cost(self, trial: TrialResult) -> float:
        """What the session took, had it been one that confirms: not brief, and started as the plain command."""
        taken = trial.taken_seconds
        if trial.brief:
            measured, cycles = trial.measured_seconds or 0.0, trial.cycles or 1
            taken += max(0.0, self.confirming_limit - measured, (MIN_CYCLES / cycles - 1) * measured)
        if trial.learner_start is LearnerStart.WARM:
            taken += self._loading_seconds - trial.between_seconds
        return taken

    @cached_property
    def _loading_seconds(self) -> float:
        """What loading the learner's packages takes, which was done once for all warm sessions."""
        warm = [trial for trial in self.history.counted if trial.learner_start is LearnerStart.WARM]
        return max((trial.between_seconds for trial in warm), default=0.0)

    @cached_property
    def _mean_costs(self) -> list[float]:
        groups: dict[bool, list[float]] = {}
        for trial in self.history.counted:
            if trial.is_ok and not trial.slices and trial.stage is not Stage.CONFIRMATION:
                groups.setdefault(trial.purpose is Purpose.SEARCH, []).append(self._whole_cost(trial))
        return [sum(group) / len(group) for group in groups.values()]

    def search_ends_because(self) -> str | None:
        """What leaves no room for one more search trial beside the confirmation, if anything.

        Nothing is kept for a confirmation without a rival, nor beyond the trials that are allowed.
        """
        seconds, trials = self.kept_for_confirmation
        if self.remaining_trials < 1 + trials:
            return Stopped.TRIALS.value
        # What is kept may be all that is left beside this session: that is room, whatever the last digit says.
        has_room = self.remaining_seconds + SAME_SECONDS >= self.search_seconds + seconds
        return None if self.remaining_seconds > 0 and has_room else Stopped.BUDGET.value

    @cached_property
    def kept_for_confirmation(self) -> tuple[float, int]:
        """Seconds and trials that are kept for it: where there is something to confirm, and room for a round of it."""
        contenders = [item.key for item in self.confirmation.contenders]
        if not contenders:
            return self._kept_for_newcomers()
        if self.has_room_for(contenders[:2]) is None:
            return 0.0, 0
        if self.is_brief and self.history.searched < FIRST_SEARCHED:
            return min(kind.seconds for kind in self._kinds_of_round(contenders[:2])), 2
        rounds, count = min(MAX_ROUNDS, self._rounds_wanted(contenders)), len(contenders)
        # Of a short budget one rival is judged, so that there is a search.
        most = max(
            self._least_seconds(contenders[:2]),
            min(rounds * self.round_of(contenders).seconds, CONFIRM_SHARE * self.budget.seconds),
        )
        limit = self.budget.trials
        # Too few trials for a search and a confirmation: then there is a search.
        return most, 0 if limit is not None and limit < 2 * count + 2 else count * min(rounds, MIN_ROUNDS)

    def _least_seconds(self, contenders: Sequence[str]) -> float:
        """For as many rounds as a verdict needs, of the kind with which that is sooner.

        With two, the last look has what the others did not need (compare.looks).
        """
        kinds = self._kinds_of_round(contenders)
        return min(min(MIN_ROUNDS, self._rounds_wanted(contenders, kind.is_in_turn)) * kind.seconds for kind in kinds)

    def _kept_for_newcomers(self) -> tuple[float, int]:
        """Seconds and trials for what the search still finds after others were judged: a round beside the best."""
        reference = self.history.reference
        if reference is None or not self.confirmation.judged or self.confirmation.is_over:
            return 0.0, 0
        beside = self.confirmation.better[0] if self.confirmation.reference_rests else reference
        one, other = self.session_seconds(beside.key), self.session_seconds()
        seconds, trials = self.remaining_seconds - self.search_seconds, self.remaining_trials - 1
        if seconds < one + other or trials < 2:
            return 0.0, 0  # the search may find something, and nothing could be judged any more
        return min(seconds, one + LEADERS * other), int(min(trials, 1 + LEADERS))

    def round_of(self, contenders: Sequence[str]) -> Round:
        """The next round of these contenders, by their keys: the kind with which the confirmation is done sooner."""
        return self._kinds_of_round(contenders)[0]

    def _kinds_of_round(self, contenders: Sequence[str]) -> list[Round]:
        """All that are possible, first the one with which the confirmation is done sooner."""
        whole = Round(sum(self.session_seconds(key) for key in contenders))
        in_turn = self._in_turn(contenders)
        kinds = [whole] if in_turn is None else [whole, in_turn]
        return sorted(kinds, key=lambda kind: kind.seconds * self._rounds_wanted(contenders, kind.is_in_turn))

    def has_room_for(self, contenders: Sequence[str]) -> Round | None:
        """The next round of these contenders, where one of either kind fits."""
        if self.remaining_trials < len(contenders):
            return None
        return next((kind for kind in self._kinds_of_round(contenders) if kind.seconds <= self.remaining_seconds), None)

    def contenders_that_fit(self) -> int:
        """How many of the contenders can run in as many rounds as a verdict needs; 0 where not even one round of two.

        One rival is judged rather than none, and one to the end rather than two to no verdict.
        """
        contenders = [item.key for item in self.confirmation.contenders]
        counts = [count for count in range(len(contenders), 1, -1) if self.has_room_for(contenders[:count])]
        enough = (count for count in counts if self._least_seconds(contenders[:count]) <= self.remaining_seconds)
        return next(enough, counts[-1] if counts else 0)

    def has_room_for_pilot(self) -> bool:
        """Whether a second session of the reference before the search is cheap."""
        reference = self.history.reference
        few = self.budget.trials is not None and self.budget.trials < 4 * (1 + LEADERS)
        if reference is None or few or self.is_spent or self.is_brief:
            return False
        return self.session_seconds(reference.key) <= PILOT_SHARE * self.remaining_seconds

    def anchor_is_due(self) -> bool:
        """Whether ANCHOR_EVERY search trials have passed since the reference was last measured, or tried."""
        reference = self.history.reference
        if reference is None or self.is_brief:
            return False
        searched = 0
        for trial in reversed(self.history.results):
            if trial.key == reference.key:
                break
            searched += trial.purpose is Purpose.SEARCH
        return searched >= ANCHOR_EVERY

    def finalists(self) -> int:
        """How many leaders to run once more, of whom the better half goes on; 0 for none.

        Where the confirmation has begun, the finals are over. A round must leave what is kept for the confirmation.
        """
        if self.confirmation.rounds or self.history.reference is None or self.is_brief:
            return 0
        rivals = [item.key for item in self.history.rivals]
        last = self._last_finals
        seconds, trials = self.kept_for_confirmation
        for count in FINALS:
            cost = sum(self.session_seconds(key) for key in rivals[:count])
            fits = cost <= self.remaining_seconds - seconds and self.remaining_trials >= count + trials
            if len(rivals) >= count and fits and (last is None or count < last):
                return count
        return 0

    @cached_property
    def _last_finals(self) -> int | None:
        """How many were in the last round of finals; None without any since the last search."""
        chosen = [trial for trial in self.history if trial.purpose is Purpose.SEARCH]
        if not chosen or chosen[-1].stage is not Stage.FINALS:
            return None
        return len({trial.key for trial in chosen if trial.round == chosen[-1].round})

    def _rounds_wanted(self, contenders: Sequence[str], in_turn: bool | None = None) -> int:
        """Rounds until the fastest rival is shown to be faster, if it is about as fast as it looks; less those done."""
        if in_turn is None:
            in_turn = self.round_of(contenders).is_in_turn
        reference = self.history.reference
        rivals = [item for key in contenders if (item := self.history.by_key[key]) is not reference]
        fastest = max(self.history.speed(item) for item in rivals)
        slowest = self.history.speed(reference) if reference is not None else fastest
        advantage = math.log(max(1.0, fastest / (slowest or fastest)))
        if in_turn:
            slices = PRIOR_SLICE_DEVIATION**2 / SLICES
            deviation, degrees = math.sqrt(PRIOR_SESSION_EFFECT**2 + slices), PRIOR_SESSION_EFFECT_DEGREES
        else:
            found = self.history.spread_alone
            squares = PRIOR_DEGREES * PRIOR_SESSION_DEVIATION**2 + (found.degrees * found.total if found else 0.0)
            degrees = PRIOR_DEGREES + (found.degrees if found else 0)
            deviation = math.sqrt(squares / degrees)
        wanted = rounds_to_show(SHRINKAGE * advantage, deviation, degrees, len(rivals))
        return max(1, wanted - len(self.confirmation.judging_rounds))

    def _in_turn(self, keys: Sequence[str]) -> Round | None:
        """A round of sessions that are alive together; None where that is not possible.

        All must fit into memory together, and a cycle of each into a slice.
        """
        mended = max((trial.number for trial in self.history if trial.excuses), default=-1)
        broken = {trial.round for trial in self.history if trial.turns_broke and trial.number > mended}
        known = [[trial for trial in self.history.by_key[key].measured if not trial.slices] for key in keys]
        if not self.may_run_in_turn or len(broken) >= MAX_BROKEN_TURNS or not all(known):
            return None
        if any(trial.method is Method.CONSOLE for trials in known for trial in trials):
            return None  # its lines say too seldom where a slice may begin
        peaks = [max((trial.peak_memory_bytes or self.cap_bytes) for trial in trials) for trials in known]
        cycles = [cycle_seconds(trials) for trials in known]
        if MARGIN * sum(peaks) > self.cap_bytes or any(cycle > MAX_SLICE_SECONDS for cycle in cycles):
            return None
        return turns_of(known, MARGIN)
