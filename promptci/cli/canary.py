"""`promptci canary`."""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promptci.cli import console, options
from promptci.cli.figures_option import figures_option
from promptci.cli.release import output
from promptci.errors import PromptciError
from promptci.lazy_import import lazy_import
from promptci.publish.runner import workflow_commands
from promptci.redact import Redactor
from promptci.report import canary_report as report
from promptci.report.canary_report import CanaryReport
from promptci.report.figures import canary_figure
from promptci.requestlog.read import expand_patterns
from promptci.rollout.canary import CanaryOutcome
from promptci.rollout.judging.sample import SampleRequest
from promptci.usecases.rollout import canary
from promptci.usecases.rollout.canary import CanaryRequest

if TYPE_CHECKING:
    from promptci.usecases.rollout import simulate
else:
    simulate = lazy_import("promptci.usecases.rollout.simulate")

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
MINUTES = click.FloatRange(min=1 / 60)
LEVELS: dict[CanaryOutcome, workflow_commands.Level] = {CanaryOutcome.ROLL_BACK: "error", CanaryOutcome.HOLD: "warning"}
COLOURS = {CanaryOutcome.PROMOTE: "pass", CanaryOutcome.WAIT: "inconclusive", CanaryOutcome.HOLD: "inconclusive"}


@click.group("canary", invoke_without_command=True)
@click.pass_context
@click.option(
    "--repo",
    "root",
    type=FOLDER,
    default=Path(),
    help="A folder of the git repository; default: here.",
)
@click.option(
    "--env",
    "environment",
    help="Environment, required: `production` reads deployments/production.yml of the working tree.",
)
@click.option(
    "--log",
    "logs",
    multiple=True,
    help="Request log, required, JSON lines: a path, or a glob in quotes; may be given several times.",
)
@options.now_option("Decide")
@click.option(
    "--apply",
    is_flag=True,
    help="Write the new share into the deployment file, and where the canary stands into the .canary.json beside it.",
)
@click.option(
    "--push",
    is_flag=True,
    help="With --apply: commit it onto the remote's default branch, as the newest files there have it, and push it.",
)
@options.output_option("Folder for canary.html, canary.md and canary.json.")
@click.option("--dry-run", is_flag=True, help="Decide and print; write neither the share nor a report, and ask nobody.")
@click.option(
    "--judge-sample",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    help="Have the judge of promptci.yml mark N answers of each canary's step, and the same share of the other arm's.",
)
@click.option("--answers", multiple=True, help="JSON lines with the answers to judge: a path, or a glob in quotes.")
@click.option(
    "--marks",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that the judge's marks are appended to; it is read as a part of the log.",
)
@options.history_options
@figures_option
@output.json_option
def command(
    context: click.Context, /, now: datetime, environment: str | None, as_json: bool, **others: Any
) -> int | None:
    """Promote a canary, hold it or roll it back, by the request log of both arms.

    Each look compares the canary's users with the stable version's over the same time, in quality, failed requests,
    latency, cost and complaints. The test is always valid: looking every five minutes is as honest as looking once.

    \b
    promote    shown to be within every limit: the next step of 5, 25, 50, 100%
    wait       not enough is known yet
    hold       no data, arms that cannot be compared, a provider in trouble: for a person
    roll back  shown to be worse, and by a limit or more: share 0, until a version changes

    \b
    Example:
      promptci canary --env production --log 'logs/*.jsonl' --apply --push --history
      promptci canary --env production --log 'logs/*.jsonl' --dry-run --json
      promptci canary --env production --log 'logs/*.jsonl' --judge-sample 200 \\
        --answers 'answers/*.jsonl' --marks marks.jsonl
      promptci canary simulate --per-day 50000 --from .96 --to .82

    Exit code: 0 promoted, waiting or held, 1 rolled back, 4 could not evaluate or judge, 2 bad usage or file.
    """  # noqa: D301 - click's sign for lines that stay
    if context.invoked_subcommand:
        return None
    if environment is None or not others["logs"]:
        raise click.UsageError("--env and --log are required.", context)
    if others["push"] and not others["apply"]:
        raise click.UsageError("--push needs --apply.", context)
    sample = _request_sample(context, now, others)
    figures, history, remote, push = (others.pop(name) for name in ("figures", "history", "remote", "push"))
    target = output.commit_target(push, remote, None)
    request = CanaryRequest(now=now, environment=environment, sample=sample, target=target, **others)
    with console.environment() as env:
        record, words = canary.evaluate_canaries(request, env)
        for line in record.written:
            console.say_progress(line.strip())
        if as_json:
            click.echo(canary.redacted_document(record, env.redactor()).dump(), nl=False)
        else:
            _show(record)
        if figures and not request.dry_run:
            document = canary.redacted_document(record, env.redactor())
            for path in canary_figure.write_figures(document, request.out, figures):
                console.say_progress(f"figure: {path}")
        if request.dry_run:
            return record.exit_code
        _tell_the_runner(record, words)
        return _record(record, request.root, remote, env.redactor()) if history else record.exit_code


def _request_sample(context: click.Context, now: datetime, others: dict[str, Any]) -> SampleRequest | None:
    """Take the options about the judge's sample out of the others; they go together."""
    number, answers, marks = (others.pop(name) for name in ("number", "answers", "marks"))
    if number is not None and answers and marks is not None:
        files = tuple(expand_patterns(answers, "Give --answers a file of answers, or a glob in quotes."))
        return SampleRequest(number=number, answers=files, marks=marks, now=now, dry_run=others["dry_run"])
    if number is not None or answers or marks is not None:
        raise click.UsageError("--judge-sample, --answers and --marks go together.", context)
    return None


def _record(record: CanaryReport, root: Path, remote: str, redactor: Redactor) -> int:
    """Record the look, and return the exit code: a branch that cannot be written hides no rollback."""
    try:
        canary.record_looks(record, root, remote, redactor)
    except PromptciError as error:
        console.say_progress(f"error: {redactor.redact(str(error))}")
        return record.exit_code or error.exit_code
    return record.exit_code


@command.command("simulate")
@click.option("--repo", "root", type=FOLDER, default=Path(), help="A folder of the git repository; default: here.")
@click.option("--env", "environment", help="Environment whose steps and policy count; default: the default policy.")
@click.option("--per-day", type=click.FloatRange(min=1), required=True, help="Requests a day, of all users.")
@click.option("--from", "before", type=float, required=True, help="Share of good answers of the stable version.")
@click.option("--to", "after", type=float, required=True, help="Share of good answers of the canary.")
@click.option("--users", type=click.FloatRange(min=1), help="Users who send the requests; default: one for each.")
@click.option("--schedule", default=15.0, show_default=True, type=MINUTES, help="Minutes between two looks.")
@click.option(
    "--cache", default=10.0, show_default=True, type=MINUTES, help="Minutes until applications have a new bundle."
)
@click.option("--runs", default=1000, show_default=True, type=click.IntRange(1, 100_000), help="Canaries to simulate.")
@output.reads_only
@output.json_option
def simulate_command(schedule: float, cache: float, as_json: bool, **others: Any) -> int:
    """Simulate how soon a canary is rolled back or promoted, and how many requests it answers until then.

    It plays canaries whose answers are as good as you say through the steps, by the same decision. Printed apart are
    the time until a decision is possible, and the delay until applications have it.

    \b
    Example:
      promptci canary simulate --per-day 50000 --from .96 --to .82
      promptci canary simulate --env production --per-day 50000 --users 20000 --from .96 --to .96 --json

    Exit code: 0 simulated, 2 bad usage or deployment file.
    """  # noqa: D301 - click's sign for lines that stay
    request = simulate.SimulationRequest(schedule_s=schedule * 60, cache_s=cache * 60, **others)
    document = simulate.simulate_canary(request)
    output.print_result(document, simulate.simulation_lines(document), as_json=as_json)
    return 0


def _show(record: CanaryReport) -> None:
    samples = {sample.prompt: sample for sample in record.samples}
    for decision in record.decisions:
        colour = console.COLOURS[COLOURS.get(decision.outcome, "fail")]
        click.secho(
            workflow_commands.safe_line(f"{decision.prompt}: {report.outcome_text(decision)}"), fg=colour, bold=True
        )
        for text in report.finding_texts(decision):
            console.say(f"  {text}")
        if affected := report.affected_text(decision):
            console.say(f"  {affected}")
        if decision.prompt in samples:
            console.say(f"  {report.sample_text(samples[decision.prompt])}")
        if proposal := report.propose_stable(decision, record.environment):
            console.say(f"  Propose it: {proposal.command}")
    console.say(report.log_text(record))
    for problem in record.log.problems:
        console.say(f"not counted: {problem}")


def _tell_the_runner(record: CanaryReport, words: str) -> None:
    """Write summary, outputs and annotations where GitHub Actions asks for them."""
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        workflow_commands.append_summary(Path(summary), words)
    if output := os.environ.get("GITHUB_OUTPUT"):
        values = {"outcome": str(record.outcome), "changed": str(record.applied and record.changed).lower()}
        workflow_commands.set_outputs(Path(output), values)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        redactor = Redactor.from_environ(os.environ)
        for decision in record.decisions:
            if level := LEVELS.get(decision.outcome):
                title, text = (
                    f"promptci canary: {decision.prompt}: {decision.outcome}",
                    redactor.redact(" ".join(report.finding_texts(decision))),
                )
                click.echo(workflow_commands.annotation(level, None, None, redactor.redact(title), text))
