"""Put the gate to the test: an A/A run, in which nothing changes and nothing should be blocked."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

from promptci.app.requests import CheckRequest
from promptci.errors import UsageError
from promptci.evaluation import run
from promptci.files import write
from promptci.gates.selftest import aa_test, selftest_document
from promptci.gates.selftest.aa_test import SelfTest
from promptci.git.repo import Repo
from promptci.git.state_folder import check_output_folder
from promptci.pipeline.ask import asking
from promptci.pipeline.ask.asking import Asked
from promptci.pipeline.collection.collect import select_prompts
from promptci.pipeline.environment import Environment
from promptci.pipeline.plan import planning
from promptci.pipeline.prompt_run import PromptRun
from promptci.pipeline.revisions import Revisions
from promptci.present import formatting
from promptci.scoring.model import ScoredCase


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a self-test may do."""

    prompts: tuple[str, ...] = ()
    """Names; empty: all."""
    answers: int | None = None
    """Answers to each case; None: as many as two versions need."""
    simulations: int = aa_test.SIMULATIONS
    agree: Callable[[str], bool] = lambda _: False
    """Asked, with the price, whether to spend it."""


def selftest(request: CheckRequest, wanted: Wanted, env: Environment) -> tuple[SelfTest, ...]:
    """Ask each case of the prompts at one revision several times, and see how often the gate cries wolf.

    Raises
    ------
    InputError
        With every mistake in the files.
    UsageError
        Where there is no such prompt, or the price was not agreed to.
    """
    path = request.out / selftest_document.FILE
    request = replace(request, out=path.parent)  # the last check's report and journal stay as they are
    check_output_folder(request.root, request.out)
    with closing(Repo.discover(request.root).snapshot(request.head)) as head:
        gathered = select_prompts(run.collect_everything(head, request.config_path), wanted.prompts)
        limits = gathered.config.run
        least = max((aa_test.answers_needed(plan, limits) for plan in gathered.plans), default=2)
        if wanted.answers is not None and wanted.answers < least:
            raise UsageError(
                f"--answers must be at least {least}", "Two versions are dealt their answers out of these."
            )
        often = replace(
            limits, repeats=wanted.answers or least, repeats_on_disagreement=None, auto_calls=None, early_stop=False
        )
        repeated = replace(gathered, config=replace(gathered.config, run=often))
        planned = planning.plan_run(repeated)
        for line in planning.describe(planned, gathered):
            env.print(line)
        if request.dry_run:
            return ()
        if not wanted.agree("Ask all of this?"):
            raise UsageError("nothing was asked", "Agree to the price, or pass --yes.")
        asked = Asked(prompts=planned.prompts)
        if planned.questions:
            asked = asking.ask(planned, repeated, Revisions(head=head, head_name=request.head), request, env)
    found = tuple(
        aa_test.selftest(run.plan, _by_case(run), limits, gathered.config.gate, wanted.simulations)
        for run in asked.prompts
        if run.plan.task.cases
    )
    for error in asked.errors:
        env.print(error.message)
    for one in found:
        for line in words(one):
            env.print(line)
    write.write_text(path, selftest_document.merge_into(path, found).dump())
    env.print(f"written: {path}")
    return found


def _by_case(run: PromptRun) -> dict[str, list[ScoredCase]]:
    by_case: dict[str, list[ScoredCase]] = defaultdict(list)
    for scored in run.scored:
        by_case[scored.case.id].append(scored)
    return by_case


def words(found: SelfTest) -> list[str]:
    """Return what an A/A run showed, in plain lines."""
    lo, hi = formatting.percent(found.interval.lo), formatting.percent(found.interval.hi)
    drawn = f"{found.simulations:,} pull requests that change nothing"
    undecided = formatting.percent(found.undecided / found.simulations)
    lines = [
        f"{found.prompt}: of {drawn}, dealt out of the answers to {formatting.count(found.cases, 'case')}:",
        (
            f"  blocked {formatting.percent(found.rate)}"
            f" (95% interval {lo} to {hi}; stated: {formatting.percent(found.alpha)})"
        ),
        f"  undecided {undecided}",
    ]
    if found.discordance is not None:
        lines.append(f"  {formatting.percent(found.discordance)} of the cases change their verdict from run to run")
    if found.spread is not None:
        lines.append(
            f"  the marks of a case differ from run to run by {formatting.points(found.spread)} (standard deviation)"
        )
    drop = found.detectable_drop
    lines.append(f"  smallest drop shown with 80% power: {'none' if drop is None else formatting.points(drop)}")
    if found.flaky:
        worst = sorted(found.flaky, key=lambda one: abs(one.passed / one.answers - 0.5))[:5]
        listed = ", ".join(f"{one.id} ({one.passed} of {one.answers} right)" for one in worst)
        lines.append(f"  {formatting.count(len(found.flaky), 'case')} right at one time and wrong at another: {listed}")
    if found.left_out:
        lines.append(f"  {formatting.count(found.left_out, 'case')} left out, for lack of answers")
    if not found.keeps_promise:
        lines.append("  More than stated: look at the cases that hang together (give them one `cluster`).")
    return lines
