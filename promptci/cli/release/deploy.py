"""`promptci deploy`."""

from typing import Any

import click

from promptci.cli import options
from promptci.cli.release import output
from promptci.usecases.release import deploy
from promptci.usecases.release.deploy import DeployRequest


@click.command("deploy")
@click.argument("name", metavar="NAME@VERSION")
@options.repository_options
@output.environment_option
@click.option("--canary", is_flag=True, help="Try it on the first step's share of users beside the stable version.")
@click.option("--drop-canary", is_flag=True, help="End the canary of another version.")
@click.option("--new-env", "new_environment", is_flag=True, help="Begin an environment beside those that there are.")
@click.option("--because", default="", help="Reason, kept in the commit.")
@output.push_options
@output.dry_run_option
@output.json_option
def command(as_json: bool, push: bool, remote: str, branch: str | None, **others: Any) -> int:
    """Deploy a released version to an environment: one commit that changes deployments/ENVIRONMENT.yml.

    Comments and order of the file stay. Without --push the commit is yours to push, or to open a pull request with;
    make the bundle where it is merged. Deploying the version that is tried makes it stable and ends the canary.

    \b
    Example:
      promptci deploy order-extractor@v1.3.0 --env production --canary --push
      promptci deploy order-extractor@v1.3.0 --env production --because "canary passed"

    Exit code: 0 deployed or already so, 2 not released or not possible, 4 git refuses or the release was tampered with.
    """  # noqa: D301 - click's sign for lines that stay
    target = output.commit_target(push, remote, branch)
    summary = deploy.deploy(DeployRequest(target=target, **others))
    output.print_result(summary, deploy.summary_lines(summary), as_json=as_json)
    return 0
