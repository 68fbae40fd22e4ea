"""Test prompts at one revision: no comparison, the absolute limits decide."""

from contextlib import closing

from promptci.app.environment import Errand, Outcome, World
from promptci.config import load as config_load
from promptci.errors import InputError
from promptci.git.repo import Repo
from promptci.git.snapshot import Snapshot
from promptci.pipeline import collect
from promptci.pipeline.collect import Gathered
from promptci.usecases.evaluation import comment_template, evaluate
from promptci.usecases.evaluation.evaluate import Sides


def run(errand: Errand, world: World) -> Outcome:
    """Ask every prompt of one revision its golden cases.

    Raises
    ------
    GitError, UsageError
        Where the revision cannot be found.
    """
    repo = Repo.discover(errand.root)
    with closing(repo.snapshot(errand.head)) as head:
        sides = Sides(head=head, head_rev=errand.head_name or errand.head)
        try:
            gathered = everything(head, errand.config_path)
            outcome = evaluate.evaluate(gathered, sides, errand, world)
            return comment_template.told(outcome, head, gathered.config.comment_template)
        except InputError as error:
            return evaluate.refused(error, sides, errand, world)


def everything(head: Snapshot, config_path: str) -> Gathered:
    """Plan all prompts of a revision as if they were new; InputError with every mistake in the files."""
    config = config_load.load(head.read(config_path), config_path)
    plans = collect.plan_all(head, config)
    source = f"{config_path} at {head.label}" if config.present else "defaults (there is no promptci.yml)"
    rubric = collect.rubric_text(head, config.judge.rubric)
    return Gathered(config=config, config_source=source, plans=plans, rubric=rubric)
