"""`promptci drift`."""

import os
from pathlib import Path
from typing import Any

import click

from promptci.cli import console, options
from promptci.cli.figures_option import figures_option
from promptci.cli.release import output
from promptci.drift.night import GREEN, UNASKED
from promptci.errors import UsageError
from promptci.evaluation.nights import results
from promptci.evaluation.nights.acting import DriftActions
from promptci.evaluation.nights.results import DriftDocument
from promptci.pipeline.environment import Environment
from promptci.publish.runner import workflow_commands
from promptci.redact import Redactor
from promptci.rollout.deployments.commit import CommitTarget
from promptci.usecases.drift import freeze, night_figures, probe, watch
from promptci.usecases.drift.freeze import FreezeRequest
from promptci.usecases.drift.probe import ProbeRequest
from promptci.usecases.drift.watch import DriftRequest
from promptci.usecases.release import deploy, rollback
from promptci.usecases.release.deploy import DeployRequest
from promptci.usecases.release.rollback import RollbackRequest


@click.command("drift")
@options.repository_options
@click.option(
    "--env", "environment", help="Environment whose stable versions are watched; default: production, or the only one."
)
@options.prompts_option
@click.option(
    "--freeze", "is_freeze", is_flag=True, help="Add 5 answers to each case to the references in the working tree."
)
@click.option("--probe", "is_probe", is_flag=True, help="Ask 20 requests of one token; ask the goldens only if needed.")
@click.option("--rejudge", is_flag=True, help="Grade stored answers again, also without an alarm.")
@click.option(
    "--log",
    "logs",
    multiple=True,
    help="Request log in which the affected requests are counted when a drift changes a deployment: a path, or a glob"
    " in quotes; may be given several times.",
)
@output.push_options
@output.dry_run_option
@figures_option
@options.output_option("Folder for the figures.")
@output.json_option
def command(is_freeze: bool, is_probe: bool, as_json: bool, **others: Any) -> int:
    """Compare what deployed prompts answer to their goldens with what they answered when the reference was made.

    Asks each prompt that runs its goldens once, compares with the reference in drift/, and records the night on the
    branch promptci/history. Before an alarm, every case is asked again, stored answers are graded again and the pinned
    model is asked, so that an outage, edited goldens, a judge that moved and a model that moved are told apart.

    \b
    steady           as in the reference
    learning         the reference has fewer than 20 answers to each case
    drift            the answers got worse
    judge-moved      the judge grades the same answers lower
    not-comparable   no reference, or the prompt, its goldens or its judge changed since
    outage, error    not asked, so nothing is known

    \b
    Example:
      promptci drift --freeze
      promptci drift --env production
      promptci drift --probe --json

    Exit code: 0 steady or learning, 1 a finding, 4 nothing could be asked, 2 bad usage or configuration.
    """  # noqa: D301 - click's sign for lines that stay
    figures, out = others.pop("figures"), others.pop("out")
    target = output.commit_target(others.pop("push"), others["remote"], others.pop("branch"))
    if is_freeze and (is_probe or others["rejudge"]):
        raise UsageError("--freeze makes a reference and compares with none", "Pass it alone.")
    with console.environment() as env:
        document = _run(is_freeze, is_probe, target, dict(others), env)
        for path in night_figures.write_figures(others["root"], others["remote"], out, figures):
            console.say_progress(f"figure: {path}")
    if as_json:
        click.echo(document.dump(), nl=False)
    else:
        _print(document)
    _annotate(document)
    return 0 if document.dry_run else document.exit_code


def _run(
    is_freeze: bool, is_probe: bool, target: CommitTarget, others: dict[str, Any], env: Environment
) -> DriftDocument:
    rejudge, remote, dry_run, logs = (others.pop(name) for name in ("rejudge", "remote", "dry_run", "logs"))
    if is_freeze:
        return freeze.freeze(FreezeRequest(remote=remote, dry_run=dry_run, **others), env)
    if is_probe and not dry_run:
        probed = probe.probe_models(ProbeRequest(**others), env)
        if not probed.differing:
            return probed.document
        for line in results.document_lines(probed.document):
            console.say_progress(line)
        others["prompts"] = probed.differing
    actions = DeploymentCommands(others["root"], others["config_path"], target)
    acts = DriftActions(roll_back=actions.roll_back, start_canary=actions.start_canary, logs=logs)
    # After a probe, the goldens are to be known within minutes and not within a day.
    request = DriftRequest(remote=remote, dry_run=dry_run, rejudge=rejudge, at_once=is_probe, actions=acts, **others)
    return watch.watch_night(request, env)


class DeploymentCommands:
    """Changes deployments by the commands of releases."""

    def __init__(self, root: Path, config_path: str, target: CommitTarget) -> None:
        self._root, self._config_path, self._target = root, config_path, target

    def roll_back(self, prompt: str, version: str, environment: str, reason: str) -> str:
        """Change what runs, and leave the prompt's file to people."""
        summary = rollback.roll_back(
            RollbackRequest(
                root=self._root,
                config_path=self._config_path,
                name=prompt,
                version=version,
                environments=(environment,),
                keep_content=True,
                because=reason,
                target=self._target,
            )
        )
        return " ".join(line.strip() for line in rollback.summary_lines(summary))

    def start_canary(self, prompt: str, version: str, environment: str, reason: str) -> str:
        """Deploy the version as a canary with its first share."""
        summary = deploy.deploy(
            DeployRequest(
                root=self._root,
                config_path=self._config_path,
                name=f"{prompt}@{version}",
                environment=environment,
                canary=True,
                because=reason,
                target=self._target,
            )
        )
        return " ".join(line.strip() for line in deploy.summary_lines(summary))


def _print(document: DriftDocument) -> None:
    for line in results.document_lines(document):
        console.say(line)


def _annotate(document: DriftDocument) -> None:
    """Write annotations, summary and outputs where GitHub Actions asks for them."""
    redactor = Redactor.from_environ(os.environ)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for row in document.prompts:
            if row.verdict not in GREEN:
                level: workflow_commands.Level = "warning" if row.verdict in UNASKED else "error"
                text = " ".join(finding.text for finding in row.findings)
                title = redactor.redact(f"promptci drift: {row.prompt}: {row.verdict}")
                click.echo(workflow_commands.annotation(level, None, None, title, redactor.redact(text)))
    if path := os.environ.get("GITHUB_OUTPUT"):
        verdicts = sorted({row.verdict.value for row in document.prompts})
        workflow_commands.set_outputs(
            Path(path), {"verdicts": " ".join(verdicts), "exit-code": str(document.exit_code)}
        )
