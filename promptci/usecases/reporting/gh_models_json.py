"""A run's result in the form of `gh models eval --json`."""

from contextlib import closing

from promptci.app.requests import RunRequest, RunResult
from promptci.evaluation import run
from promptci.git.repo import Repo
from promptci.prompts.template.render import format_value
from promptci.report.export import gh_models
from promptci.report.export.gh_models import PromptFacts


def render_outcome(request: RunRequest, outcome: RunResult) -> str:
    """Return the JSON; empty where there is no result, as after a dry run."""
    if outcome.view is None:
        return ""
    with closing(Repo.discover(request.root).snapshot(request.head)) as head:
        plans = run.collect_everything(head, request.config_path).plans
    facts = {
        plan.name: PromptFacts(
            model=plan.change.head.model if plan.change.head is not None else "",
            description=plan.change.head.description if plan.change.head is not None else "",
            test_cases={
                planned.case.id: {
                    **planned.case.vars,
                    **({} if planned.case.expected is None else {"expected": format_value(planned.case.expected)}),
                }
                for planned in plan.task.cases
            },
        )
        for plan in plans
    }
    return gh_models.render(outcome.view, facts)
