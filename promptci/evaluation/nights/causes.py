"""Look for the cause of an alarm: the judge, the model behind an alias, or chance."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from promptci.drift.facts import PinnedModel, RejudgedAnswers
from promptci.evaluation.nights.goldens_run import Asker
from promptci.evaluation.nights.night_records import StoredAnswer
from promptci.evaluation.nights.watched import WatchedPrompt, with_prompt
from promptci.git.repo import Repo
from promptci.git.snapshot import Snapshot
from promptci.providers import registry
from promptci.providers.base import CallKey, Completion
from promptci.providers.local import model_file
from promptci.providers.replay import ReplayProvider
from promptci.rollout.deployments.history import list_changes
from promptci.runs.model import Question
from promptci.scoring.judges.judge import judged_positions
from promptci.stats.significance.paired import mcnemar_midp

ALPHA = 0.05
"""Of the comparisons that look for a cause, or choose the better of two versions."""


def ask_again(asker: Asker, prompt: WatchedPrompt, marks: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Ask every case once more and return the mean of both answers.

    Every case, and not the failed ones alone: to ask only these again can only make a night look better.
    """
    again = asker.ask([prompt])[prompt.name].marks
    cases = [case for case in prompt.weights if case in marks or case in again]
    return {case: fmean([*marks.get(case, ()), *again.get(case, ())]) for case in cases}


def rejudge(asker: Asker, prompt: WatchedPrompt, stored: Sequence[StoredAnswer]) -> RejudgedAnswers | None:
    """Have today's judge grade answers of earlier nights; None where no judge is involved, or none is stored."""
    judged = {planned.case.id for planned in prompt.plan.task.cases if judged_positions(planned.case)}
    answers = {answer.case: answer for answer in stored if answer.case in judged}
    if not answers:
        return None
    cases = tuple(planned for planned in prompt.plan.task.cases if planned.case.id in answers)
    chosen = replace(prompt, plan=prompt.plan.with_cases(cases))
    known = _find_known(asker.plan([chosen], 1).questions, answers)
    config, env = asker.watch.config, asker.env
    home = model_file.cache_home(env.environ)
    judge = registry.create_provider(config.provider, env.environ, asker.root, home, concurrency=config.run.concurrency)
    now = asker.ask([chosen], provider=ReplayProvider(known, judge))[prompt.name].means
    pairs = [(answers[case].mark, mark) for case, mark in now.items()]
    if not pairs:
        return None
    worse, better = _count_changes(pairs)
    return RejudgedAnswers(
        answers=len(pairs),
        before=fmean(before for before, _ in pairs),
        now=fmean(after for _, after in pairs),
        worse=worse,
        better=better,
        p=mcnemar_midp(worse, better),
        stored=min(answers[case].day for case in now),
    )


def _find_known(questions: Sequence[Question], answers: Mapping[str, StoredAnswer]) -> dict[CallKey, Completion]:
    return {
        (question.request.key, question.replicate): Completion(text=answers[question.case_id].text)
        for question in questions
    }


def is_judge_moved(facts: RejudgedAnswers, drop: float) -> bool:
    """Return whether the judge explains the night: the same answers fell, and by half of tonight's drop or more."""
    return facts.p <= ALPHA and facts.before - facts.now >= drop / 2


def ask_pinned(asker: Asker, prompt: WatchedPrompt, means: Mapping[str, float]) -> PinnedModel | None:
    """Ask the goldens of the pinned version of the prompt's model; None where the configuration names none."""
    pinned = asker.watch.config.drift.pinned.get(prompt.prompt.model)
    if pinned is None:
        return None
    other = with_prompt(prompt, replace(prompt.prompt, model=pinned), prompt.version)
    comparison = compare_versions(asker, other, means)
    if comparison is None:
        return None
    quality, earlier, p = comparison
    return PinnedModel(alias=prompt.prompt.model, pinned=pinned, quality=quality, pinned_quality=earlier, p=p)


def compare_versions(
    asker: Asker, other: WatchedPrompt, means: Mapping[str, float]
) -> "tuple[float, float, float] | None":
    """Ask another version tonight's cases: quality of this one, of the other, and the p-value of `the other is better`.

    None where the other version does not answer.
    """
    asked = asker.ask([other])[other.name].means
    pairs = [(asked[case], means[case]) for case in means if case in asked]
    if not pairs:
        return None
    worse, better = _count_changes(pairs)
    return fmean(now for _, now in pairs), fmean(then for then, _ in pairs), mcnemar_midp(worse, better)


def _count_changes(pairs: Sequence["tuple[float, float]"]) -> "tuple[int, int]":
    """Return how many pairs fell, and how many rose, by half a mark or more; of scores, at all."""
    return sum(after < before for before, after in pairs), sum(after > before for before, after in pairs)


def find_earlier_version(repo: Repo, head: Snapshot, environment: str, prompt: str) -> str | None:
    """Return the stable version that ran in an environment before the present one; None where there was none."""
    for change in list_changes(repo, environment, head.sha or "HEAD"):
        if change.prompt == prompt and change.before and change.after and change.before.stable != change.after.stable:
            return change.before.stable
    return None
