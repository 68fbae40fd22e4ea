"""Test the gate with an A/A run, in which nothing changes and nothing should be blocked."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

from promptci.app.requests import CheckRequest
from promptci.errors import UsageError
from promptci.evaluation import run
from promptci.files import write
from promptci.gates.selftest import aa_test, selftest_document, subject
from promptci.gates.selftest.aa_test import SelfTest
from promptci.git.repo import Repo
from promptci.git.state_folder import check_output_folder
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.ask import asking
from promptci.pipeline.ask.asking import Asked
from promptci.pipeline.collection.collect_all import select_prompts
from promptci.pipeline.environment import Environment
from promptci.pipeline.plan import planning
from promptci.pipeline.revisions import Revisions
from promptci.present import formatting
from promptci.present.finding_text.remarks import BASE_GOLDENS_DECIDE, GOLDENS_FIRST
from promptci.scoring.model import ScoredCase
from promptci.scoring.prompt_run import PromptRun


@dataclass(frozen=True, kw_only=True, slots=True)
class SelfTestSettings:
    """Settings of a self-test."""

    prompts: tuple[str, ...] = ()
    """Names of prompts; empty: all."""
    answers: int | None = None
    """Answers to each case; None: as many as two versions need."""
    simulations: int = aa_test.SIMULATIONS
    confirm: Callable[[str], bool] = lambda _: False
    """Called with the price; returns whether to spend it."""


def selftest(request: CheckRequest, settings: SelfTestSettings, env: Environment) -> tuple[SelfTest, ...]:
    """Ask each case several times at one revision, and measure how often the gate raises a false alarm.

    Raises
    ------
    InputError
        With every mistake in the files.
    UsageError
        If there is no such prompt, or the price was not agreed to.
    """
    path = request.out / selftest_document.FILE
    request = replace(request, out=path.parent)  # the last check's report and journal stay as they are
    check_output_folder(request.root, request.out)
    with closing(Repo.discover(request.root).snapshot(request.head)) as head:
        collected = select_prompts(run.collect_everything(head, request.config_path), settings.prompts)
        limits = collected.config.run
        least = max((aa_test.answers_needed(plan, limits) for plan in collected.plans), default=2)
        if settings.answers is not None and settings.answers < least:
            raise UsageError(
                f"--answers must be at least {least}", "Two versions are dealt their answers out of these."
            )
        often = replace(
            limits, repeats=settings.answers or least, repeats_on_disagreement=None, auto_calls=None, early_stop=False
        )
        repeated = replace(collected, config=replace(collected.config, run=often))
        planned = planning.plan_run(repeated)
        for line in planning.describe(planned, repeated):
            env.print(line)
        if request.dry_run:
            return ()
        if not settings.confirm("Ask all of this?"):
            raise UsageError("nothing was asked", "Agree to the price, or pass --yes.")
        asked = Asked(prompts=planned.prompts)
        if planned.questions:
            asked = asking.ask(planned, repeated, Revisions(head=head, head_name=request.head), request, env)
    results = tuple(
        aa_test.selftest(
            run.plan, _group_by_case(run), limits, collected.config.gate.for_prompt(run.name), settings.simulations
        )
        for run in asked.prompts
        if run.plan.task.cases
    )
    for error in asked.errors:
        env.print(error.message)
    _print_results(results, head.label, env)
    subjects = {plan.name: subject.describe_subject(plan, collected) for plan in collected.plans}
    write.write_text(path, selftest_document.merge_into(path, results, subjects).dump())
    env.print(f"written: {path}")
    return results


def _print_results(results: Sequence[SelfTest], revision: str, env: Environment) -> None:
    """Print the results, and what a pull request that changes goldens is measured by instead."""
    for result in results:
        for line in render_lines(result):
            env.print(line)
    if results:
        env.print(f"Measured with the goldens of {revision}. In a pull request: {BASE_GOLDENS_DECIDE} {GOLDENS_FIRST}")


def _group_by_case(run: PromptRun) -> dict[str, list[ScoredCase]]:
    by_case: dict[str, list[ScoredCase]] = defaultdict(list)
    for scored in run.scored:
        by_case[scored.case.id].append(scored)
    return by_case


def render_lines(result: SelfTest) -> list[str]:
    """Return the results of an A/A run as lines of text."""
    lo, hi = formatting.percent(result.interval.lo), formatting.percent(result.interval.hi)
    drawn = f"{result.simulations:,} pull requests that change nothing"
    inconclusive = formatting.percent(result.undecided / result.simulations)
    lines = [
        f"{result.prompt}: of {drawn}, dealt out of the answers to {formatting.count(result.cases, 'case')}:",
        (
            f"  blocked {formatting.percent(result.rate)}"
            f" (95% interval {lo} to {hi}; stated: {formatting.percent(result.alpha)})"
        ),
        f"  inconclusive {inconclusive}",
    ]
    if result.discordance is not None:
        lines.append(f"  {formatting.percent(result.discordance)} of the cases change their verdict from run to run")
    if result.spread is not None:
        lines.append(
            f"  the scores of a case differ from run to run by {formatting.points(result.spread)} (standard deviation)"
        )
    drop = result.detectable_drop
    lines.append(f"  smallest drop that blocks, with 80% power: {'none' if drop is None else formatting.points(drop)}")
    if result.flaky:
        worst = sorted(result.flaky, key=lambda case: abs(case.passed / case.answers - 0.5))[:5]
        listed = ", ".join(f"{case.id} ({case.passed} of {case.answers} right)" for case in worst)
        lines.append(
            f"  {formatting.count(len(result.flaky), 'case')} right at one time and wrong at another: {listed}"
        )
    if result.left_out:
        lines.append(f"  {formatting.count(result.left_out, 'case')} left out, for lack of answers")
    if not result.keeps_promise:
        lines.append("  More than stated: look at the cases that hang together (give them one `cluster`).")
    return lines
