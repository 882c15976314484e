"""What a reader of a study's answer should know."""

from __future__ import annotations

from sweeper.model.findings import Finding, FindingKind
from sweeper.report.words.finding import Sentences, Values, sentence
from sweeper.units import format_bytes


def study_note(finding: Finding) -> str:
    """The sentence of a study's warning."""
    return sentence(finding, _SENTENCES)


def _space(_: Values) -> str:
    return "The study file names no space; it was derived from this machine."


def _threaded(_: Values) -> str:
    return "The derived space goes without threaded: ML-Agents advises against it with self-play."


def _left_out(values: Values) -> str:
    which = "Some combinations"
    if values["combinations"] is not None:
        which = f"{values['left_out']} of {values['combinations']} combinations"
    lost = "" if values["knob"] is None else f", all with {values['knob']} {', '.join(values['lost'])} among them"
    return f"{which} of this space are left out{lost}; for one, {values['example']}."


def _build(values: Values) -> str:
    return (
        f"The study file names no env_path; the build of the trainer config is used, {values['path']}. To train in the "
        "Editor, write `env_path: null`."
    )


def _run(values: Values) -> str:
    return (
        f"The study file names no initialize_from; trials start from the trainer config's own, {values['path']}. To "
        "start untrained, write `initialize_from: null`."
    )


def _no_run(values: Values) -> str:
    return (
        f"The trainer config starts from a trained run, and there is none at {values['path']}: trials and the answer "
        "start untrained. To start from another, name it in the study file (initialize_from)."
    )


def _envs(values: Values) -> str:
    return (
        f"The trainer config says num_envs {values['num_envs']}, but no build is named and the Editor is one "
        "environment: name it in the study file (env_path)."
    )


def _baseline(_: Values) -> str:
    return "The study file states no baseline; the trainer config's own settings stand in for it."


def _batches(values: Values) -> str:
    sizes = " and ".join(f"{size:.0f}" for size in values["sizes"])
    share, least = values["share_percent"], values["least_percent"]
    then = "the space goes without" if values["left_out"] else "the learning guard refuses it"
    return (
        f"batch_size {sizes}: an update of your buffer holds so few whole minibatches that it makes {share:.0f} % of "
        f"your gradient updates, and min_updates asks for {least:.0f} %; {then}."
    )


def _flag(values: Values) -> str:
    return f"This mlagents-learn does not know {values['flag']}; trials run without."


def _versions(_: Values) -> str:
    return (
        "The learner does not tell its versions: should it be upgraded, this study goes on and does not notice. Name "
        "the mlagents-learn of its environment itself in `learner:`."
    )


def _editor(_: Values) -> str:
    return (
        "Training in the Unity Editor, which the learner did not start: its memory is not in these numbers, and other "
        "programs' load cannot be told from it, so nothing is voided for that."
    )


def _cap(values: Values) -> str:
    cap, asked = format_bytes(values["cap_bytes"]), format_bytes(values["asked_bytes"])
    if values.get("available_bytes") is None:
        return f"The memory cap is {cap}, as on the first run; {asked} were asked for."
    available, kept = format_bytes(values["available_bytes"]), format_bytes(values["kept_free_bytes"])
    return f"The memory cap is {cap}: {asked} were asked for, {available} are available, {kept} are kept free."


def _gpu_cap(_: Values) -> str:
    return (
        "gpu_memory_cap holds nothing back: NVIDIA's driver tells of no GPU on this machine (is nvidia-smi on PATH?)."
    )


def _areas(_: Values) -> str:
    return (
        "num_areas seems to have changed nothing: an exchange brought as many decisions whatever it was set to. It "
        "acts only if the scene has a TrainingAreaReplicator. It was searched no further; add one to search it."
    )


def _environments(_: Values) -> str:
    return (
        "num_envs seems to have changed nothing: as many decisions came whatever it was set to, as if one player alone "
        "had agents. It was searched no further. Does your build depend on its port, its files or a licence, so that a "
        "second one of it stays empty?"
    )


def _busy(values: Values) -> str:
    sessions, busiest = values["sessions"], _busiest(values)
    if values["never_quiet"]:
        return (
            "This machine was never quiet: every number here was measured while other programs took their share of it, "
            f"and holds for that load only.{busiest}"
        )
    if marked := values["marked_sessions"]:
        were = "was" if marked == 1 else "were"
        return f"{marked} of {sessions} sessions {were} measured while other programs took their share.{busiest}"
    lost = values["disturbed_sessions"]
    return f"{_lost(lost, sessions, 'sessions')}{busiest}"


def _slices(values: Values) -> str:
    return f"{_lost(values['lost_slices'], values['slices'], 'slices of the confirmation')}{_busiest(values)}"


def _lost(count: int, of: int, what: str) -> str:
    were, do = ("was", "does") if count == 1 else ("were", "do")
    return f"{count} of {of} {what} {were} disturbed by other programs and {do} not count."


def _busiest(values: Values) -> str:
    return f" Busiest: {', '.join(values['busiest'])}." if values["busiest"] else ""


def _unsteady(values: Values) -> str:
    return (
        f"The machine itself changed its speed by more than {values['change_percent']:.0f} % during "
        f"{values['unsteady_sessions']} of {values['sessions']} sessions, and no counter here says why: a host shared "
        "with others, heat or a power plan may do that. A single session says less on such a machine."
    )


def _drift(values: Values) -> str:
    slope = values["percent_per_hour"]
    direction = "faster" if slope > 0 else "slower"
    return (
        f"The machine got {direction} while the study ran, by {abs(slope):.1f} % an hour. The speed-up is not touched "
        "by that: it is judged within rounds."
    )


_SENTENCES: Sentences = {
    FindingKind.SPACE_DERIVED: _space,
    FindingKind.BATCHES_REFUSED: _batches,
    FindingKind.THREADED_NOT_DERIVED: _threaded,
    FindingKind.COMBINATIONS_LEFT_OUT: _left_out,
    FindingKind.BASELINE_FROM_CONFIG: _baseline,
    FindingKind.BUILD_FROM_CONFIG: _build,
    FindingKind.RUN_FROM_CONFIG: _run,
    FindingKind.RUN_NOT_FOUND: _no_run,
    FindingKind.ENVS_NEED_A_BUILD: _envs,
    FindingKind.FLAG_NOT_ACCEPTED: _flag,
    FindingKind.VERSIONS_UNKNOWN: _versions,
    FindingKind.IN_EDITOR: _editor,
    FindingKind.MEMORY_CAP_LOWERED: _cap,
    FindingKind.GPU_CAP_WITHOUT_GPU: _gpu_cap,
    FindingKind.AREAS_INERT: _areas,
    FindingKind.ENVS_INERT: _environments,
    FindingKind.MACHINE_BUSY: _busy,
    FindingKind.SLICES_DISTURBED: _slices,
    FindingKind.MACHINE_UNSTEADY: _unsteady,
    FindingKind.DRIFT: _drift,
}
