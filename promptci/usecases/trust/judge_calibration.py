"""Measure the judges of a repository by its labels; the prompts under test are not asked."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from promptci.app.requests import CheckRequest
from promptci.errors import ConfigError, InputError, ProviderError, UsageError
from promptci.evaluation import run
from promptci.files import write
from promptci.git.repo import Repo
from promptci.git.snapshot import Snapshot
from promptci.git.state_folder import check_output_folder
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.ask import asking, resume
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.collection.side_files import judge_labels
from promptci.pipeline.environment import Environment
from promptci.pipeline.plan import planning
from promptci.pipeline.plan.planning import PlannedRun
from promptci.pipeline.revisions import Revisions
from promptci.report.build import judge_view
from promptci.report.model.judge import JudgeView
from promptci.report.model.judge_calibration import CalibrationDocument
from promptci.scoring.judges.trust import JudgeSummary
from promptci.scoring.prompt_run import PromptRun

CALIBRATION_FILE = "calibration.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibrationResult:
    """The result of a calibration."""

    document: CalibrationDocument
    """Without judges after a dry run."""
    notes: tuple[str, ...] = ()
    path: Path | None = None
    """None after a dry run."""

    @property
    def judges(self) -> Mapping[str, JudgeView]:
        """By prompt's name."""
        return self.document.prompts

    @property
    def exit_code(self) -> int:
        """1 where some judge is not trusted."""
        return int(any(not judge.trusted for judge in self.judges.values()))


def calibrate_judges(request: CheckRequest, env: Environment, prompt: str | None = None) -> CalibrationResult:
    """Have the judge of each prompt (or of one) score its labelled answers at one revision.

    Raises
    ------
    UsageError, ConfigError
        If there is no such prompt, there are no labels, or a file is invalid.
    ProviderError
        If the judge could not be asked.
    """
    repo = Repo.discover(request.root)
    check_output_folder(request.root, request.out)
    with closing(repo.snapshot(request.head)) as head:
        try:
            collected = _select_labelled_prompts(
                judge_labels.attach_labels(run.collect_everything(head, request.config_path), None, head), prompt
            )
        except InputError as error:  # labels are input of this command, as a configuration is
            raise ConfigError(error.problems) from error
        if request.dry_run:
            for line in planning.describe_labels(collected):
                env.print(line)
            return CalibrationResult(document=CalibrationDocument(revision=head.sha, prompts={}))
        return _measure_judges(collected, head, request, env)


def _select_labelled_prompts(collected: CollectedRun, prompt: str | None) -> CollectedRun:
    names = [plan.name for plan in collected.plans]
    if prompt is not None and prompt not in names:
        raise UsageError(f"There is no prompt `{prompt}`", f"There are: {', '.join(names) or 'none'}.")
    plans = tuple(plan for plan in collected.plans if plan.task.labelled is not None and prompt in {None, plan.name})
    if not plans:
        message = (
            "No judged prompt has labels" if prompt is None else f"The prompt `{prompt}` has no judge, or no labels"
        )
        raise UsageError(message, f"Write some, such as {collected.config.judge.labels}; see docs/judge.md.")
    return replace(collected, plans=plans)


def _measure_judges(
    collected: CollectedRun, head: Snapshot, request: CheckRequest, env: Environment
) -> CalibrationResult:
    if request.ask_again:  # nor the journal of an earlier calibration
        (request.out / resume.JOURNAL).unlink(missing_ok=True)
    runs = [PromptRun(plan=plan) for plan in collected.plans]
    revisions = Revisions(head=head, head_name=request.head)
    asked = asking.ask(PlannedRun(prompts=tuple(runs)), collected, revisions, request, env)
    if asked.errors:
        raise ProviderError(asked.errors[0].message)
    judges: dict[str, JudgeView] = {}
    for judged in runs:
        _require_marks(judged)
        view = judge_view.build_judge_view(None if judged.trust is None else JudgeSummary(trust=judged.trust))
        if view is not None:
            judges[judged.name] = view
    if not judges:
        raise UsageError("There is no judge to be measured", "Set `judge.model` and `judge.rubric` in promptci.yml.")
    path = request.out / CALIBRATION_FILE
    document = CalibrationDocument(revision=head.sha, prompts=judges)
    write.write_text(path, env.redactor().redact(document.dump()))
    return CalibrationResult(document=document, notes=(*_notes(collected), *asked.notes), path=path)


def _require_marks(judged: PromptRun) -> None:
    """Raise ProviderError if a judge scored none of its labelled answers: its agreement is unknown then."""
    calibration = judged.trust.calibration if judged.trust is not None else None
    if calibration is not None and calibration.unscored and not calibration.scored:
        raise ProviderError(
            f"{judged.name}: the judge marked none of the {calibration.labels} labels: {calibration.first_failure}"
        )


def _notes(collected: CollectedRun) -> Sequence[str]:
    """Return the notes on labels; the other notes on prompts belong in a run's report."""
    return [note for plan in collected.plans for note in plan.change.notes if "labels" in note]
