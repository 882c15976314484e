"""What is believed after the sessions so far: a Gaussian over ln(seconds a step) of every configuration.

`ln(C + U)` is not linear in ln C and ln U, so it is made so about the posterior mean, a few times (Gauss and Newton).
All that one session reports shares an error, which is the machine's at that time and the session's own: so the update's
time gauges the machine while collecting is measured.

With x the latents (ln C, ln U and D of every configuration, of prior mean x0 and covariance K), y what was read and A
by how much each latent moves it (`_by_kind`), at every step of the linearisation

    y = expected + A (x - x0) + e,  e ~ N(0, machine)      toward = K A'      joint = A K A' + machine
    mean of x = x0 + toward joint^-1 (y - expected)        covariance of x = K - toward joint^-1 toward'

and ln(seconds a step) moves with x by w = (C / (C + U), U / (C + U), threaded).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy

from sweeper.search.phase.coordinates import Array, Coordinates
from sweeper.search.phase.latents import ALTERNATIVES, OVERLAP_USED, Amplitudes, Latents, Prior
from sweeper.search.phase.readings import TOLD_ERROR, Reading

ROUNDS = 3
"""Of linearising, while the amplitudes are the first guess, and again when they are known."""
LEAST_TO_LEARN = 6
"""Sessions from which the amplitudes are learnt; fewer would always look smooth."""
WANDERING = 0.06
WANDERING_SECONDS = 10.0
"""The machine's speed over some seconds, which a session's window averages out."""
USUAL_GAP = 1.5
"""Of ln U below ln(seconds a step), where no session told its phases."""
DRIFT = 0.02
DRIFT_SECONDS = 300.0
"""The machine's speed over minutes (docs/sources.md, 12)."""


@dataclass(frozen=True)
class Posterior:
    """Of n configurations: `mean` (n,) and `covariance` (n, n) of ln(seconds a step).

    A session reports two numbers: ln C and ln U, or where it is threaded its ln(seconds a step) and nothing. `teaching`
    (2, n, n): covariance of the n with what a session of each would report; `reported` (2, 2, n): of those two.
    `error`: deviation of the machine from one session to the next.
    """

    mean: Array
    covariance: Array
    teaching: Array
    reported: Array
    error: float


def believe(where: Coordinates, places: Mapping[str, int], found: Sequence[Reading]) -> Posterior:
    """The posterior after the readings `found`; `places`: which of the configurations a reading's key is."""
    rows = _Rows.of(places, found)
    learnt = _learnt_amplitudes(where, rows)
    prior = Latents(where).prior(learnt)
    now = _linearised(prior, where.threaded, rows, rows.machine(learnt.session))
    return _posterior(prior, now, learnt.session)


@dataclass(frozen=True)
class _Rows:
    """Numbers that were read, r of them. `kind`: 0 for ln C, 1 for ln U, 2 for ln(seconds a step). `place`: of which.

    `level`: about which ln C and ln U are thought to lie.
    """

    read: Array
    kind: Array
    place: Array
    session: Array
    error: Array
    middle: Array
    seconds: Array
    level: tuple[float, float]

    @classmethod
    def of(cls, places: Mapping[str, int], found: Sequence[Reading]) -> _Rows:
        rows = []
        for number, one in enumerate(found):
            rows += [(value, kind, places[one.key], number, one, one.error) for value, kind in one.rows]
            told = [(value, places[key]) for key, value in one.updating_of.items() if key in places]
            rows += [(value, 1, place, number, one, math.hypot(one.error, TOLD_ERROR)) for value, place in told]
        collecting = [one.collecting for one in found if one.collecting is not None]
        updating = [one.updating for one in found if one.updating is not None]
        total = [one.total for one in found if one.total is not None]
        levels = (fmean(collecting or total), fmean(updating or [value - USUAL_GAP for value in total]))
        return cls(
            numpy.array([row[0] for row in rows]),
            numpy.array([row[1] for row in rows]),
            numpy.array([row[2] for row in rows]),
            numpy.array([row[3] for row in rows]),
            numpy.array([row[5] for row in rows]),
            numpy.array([row[4].middle for row in rows]),
            numpy.array([row[4].seconds for row in rows]),
            levels,
        )

    def at(self, place: Array) -> _Rows:
        """The same, of configurations that are numbered otherwise."""
        return _Rows(self.read, self.kind, place, self.session, self.error, self.middle, self.seconds, self.level)

    def machine(self, session: float) -> Array:
        """Covariance (r, r) of the errors: of the machine, of the session, and of each number alone."""
        apart = numpy.abs(self.middle[:, None] - self.middle[None, :])
        averaged = numpy.minimum(1.0, 2 * WANDERING_SECONDS / self.seconds)
        same = self.session[:, None] == self.session[None, :]
        shared = numpy.where(same, session**2 + WANDERING**2 * averaged[:, None], 0.0)
        return DRIFT**2 * numpy.exp(-apart / DRIFT_SECONDS) + shared + numpy.diag(self.error**2)


@dataclass(frozen=True)
class _State:
    """Latents (n,) about which all is linear, and by how much each moves ln(seconds a step).

    `spread`: covariance (n, n) of D. `toward` (3, n, r): of the latents with what was read. `joint` (r, r): of what was
    read, errors and all. `likelihood`: of the readings, its logarithm, a constant left out.
    """

    collecting: Array
    updating: Array
    saving: Array
    by_collecting: Array
    threaded: Array
    spread: Array
    toward: Array
    joint: Array
    likelihood: float

    @property
    def by_updating(self) -> Array:
        return 1 - self.by_collecting

    @property
    def total(self) -> Array:
        """ln(seconds a step)."""
        return numpy.logaddexp(self.collecting, self.updating) + self.threaded * self.saving


def _linearised(prior: Prior, threaded: Array, rows: _Rows, machine: Array) -> _State:
    """The latents' posterior means, and all that is linear about them."""
    start = [prior.collecting_mean, prior.updating_mean]
    for kind in (0, 1):  # the level is where the readings are
        own = rows.place[rows.kind == kind] if (rows.kind == kind).any() else rows.place
        start[kind] = start[kind] + rows.level[kind] - float(start[kind][own].mean())
    collecting, updating = start
    saving = numpy.zeros(len(threaded))
    state = None
    for _ in range(ROUNDS):
        total = numpy.logaddexp(collecting, updating)
        possible = numpy.maximum(collecting, updating) - total
        mean_saving = OVERLAP_USED[0] * possible
        spread = prior.saving + OVERLAP_USED[1] ** 2 * numpy.outer(possible, possible)
        share = numpy.exp(collecting - total)
        by = _by_kind(rows, share, threaded)
        toward = _toward(prior, spread, rows.place, by)
        expected = _expected(rows, by, (collecting, updating, saving), total, threaded, (*start, mean_saving))
        joint = _among(toward, rows.place, by) + machine
        off = rows.read - expected
        gain = numpy.linalg.solve(joint, off)
        collecting, updating = start[0] + toward[0] @ gain, start[1] + toward[1] @ gain
        saving = numpy.minimum(mean_saving + toward[2] @ gain, 0.25)
        likelihood = -0.5 * float(off @ gain + numpy.linalg.slogdet(joint)[1])
        state = _State(collecting, updating, saving, share, threaded, spread, toward, joint, likelihood)
    assert state is not None
    return state


def _by_kind(rows: _Rows, share: Array, threaded: Array) -> Array:
    """(3, r): by how much each latent of a row's configuration moves what was read."""
    whole = rows.kind == 2
    return numpy.array(
        [
            numpy.where(whole, share[rows.place], rows.kind == 0),
            numpy.where(whole, 1 - share[rows.place], rows.kind == 1),
            numpy.where(whole, threaded[rows.place], 0.0),
        ]
    )


def _toward(prior: Prior, spread: Array, place: Array, by: Array) -> Array:
    """(3, n, r): covariance of the latents with what was read."""
    blocks = (prior.collecting, prior.updating, spread)
    return numpy.array([block[:, place] * by[index] for index, block in enumerate(blocks)])


def _among(toward: Array, place: Array, by: Array) -> Array:
    """(r, r): covariance of what was read, its errors left out."""
    return sum(by[index][:, None] * toward[index][place] for index in range(3))


def _expected(
    rows: _Rows, by: Array, about: tuple[Array, ...], total: Array, threaded: Array, prior: tuple[Array, ...]
) -> Array:
    """(r,): what the priors expect to read, by the line through the latents `about`."""
    place = rows.place
    read_there = numpy.select(
        [rows.kind == 0, rows.kind == 1],
        [about[0][place], about[1][place]],
        total[place] + threaded[place] * about[2][place],
    )
    return read_there + sum(by[index] * (prior[index][place] - about[index][place]) for index in range(3))


def _posterior(prior: Prior, now: _State, session: float) -> Posterior:
    weights = (now.by_collecting, now.by_updating, now.threaded)
    blocks = (prior.collecting, prior.updating, now.spread)
    whole = sum(weight[:, None] * block for weight, block in zip(weights, now.toward))
    solved = numpy.linalg.solve(now.joint, whole.T)
    covariance = sum(numpy.outer(weight, weight) * block for weight, block in zip(weights, blocks)) - whole @ solved
    apart = now.threaded == 0
    teaching = numpy.zeros((2, *covariance.shape))
    for index in (0, 1):
        teaching[index] = weights[index][:, None] * blocks[index] - solved.T @ now.toward[index].T
    teaching[0][:, ~apart] = covariance[:, ~apart]
    teaching[1][:, ~apart] = 0.0
    return Posterior(now.total, covariance, teaching, _reported(prior, now, covariance, apart), session)


def _reported(prior: Prior, now: _State, covariance: Array, apart: Array) -> Array:
    reported = numpy.zeros((2, 2, len(apart)))
    blocks = (prior.collecting, prior.updating)
    solved = [numpy.linalg.solve(now.joint, now.toward[index].T) for index in (0, 1)]
    for one in (0, 1):
        for other in (0, 1):
            known = numpy.einsum("nr,rn->n", now.toward[one], solved[other])
            own = numpy.diag(blocks[one]) if one == other else 0.0
            reported[one, other] = numpy.where(apart, own - known, 0.0)
    reported[0, 0] = numpy.where(apart, reported[0, 0], numpy.diag(covariance))
    return reported


def _learnt_amplitudes(where: Coordinates, rows: _Rows) -> Amplitudes:
    """The likeliest of a small grid, one amplitude after another; a few readings leave the first guess."""
    best = Amplitudes()
    if len(set(rows.session)) < LEAST_TO_LEARN:
        return best
    used, place = numpy.unique(rows.place, return_inverse=True)
    there = Coordinates(where.axes, where.points[used], where.threaded[used])
    latents, rows = Latents(there), rows.at(place)

    def likelihood(amplitudes: Amplitudes) -> float:
        return _linearised(latents.prior(amplitudes), there.threaded, rows, rows.machine(amplitudes.session)).likelihood

    for name, values in ALTERNATIVES.items():
        best = max((replace(best, **{name: value}) for value in values), key=likelihood)
    return best
