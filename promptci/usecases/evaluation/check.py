"""The main errand: test what a change touches against what it replaces, and decide."""

from contextlib import closing

from promptci.app.environment import Errand, Outcome, World
from promptci.errors import InputError
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.pipeline import collect
from promptci.usecases.evaluation import comment_template, evaluate
from promptci.usecases.evaluation.evaluate import Sides


def check(errand: Errand, world: World) -> Outcome:
    """Compare the prompts changed between two revisions and decide.

    Raises
    ------
    GitError, UsageError
        Where a revision cannot be found. Everything else that goes wrong becomes a report with the verdict `error`.
    """
    repo = Repo.discover(errand.root)
    with closing(repo.snapshot(errand.head)) as head, closing(repo.snapshot(base_revision(repo, errand))) as base:
        sides = Sides(
            base=base,
            head=head,
            base_rev=errand.base_name or errand.base or "merge base",
            head_rev=errand.head_name or errand.head,
        )
        try:
            gathered = collect.gather(base, head, repo.changes(base, head), errand.config_path)
            outcome = evaluate.evaluate(gathered, sides, errand, world)
            binding = base if base.read(errand.config_path) is not None else head
            return comment_template.told(outcome, binding, gathered.config.comment_template)
        except InputError as error:
            return evaluate.refused(error, sides, errand, world)


def base_revision(repo: Repo, errand: Errand) -> str:
    """Give the revision to compare with: the one asked for, else where head left the default branch."""
    if errand.base is not None:
        return errand.base
    return repo.merge_base(repo.default_branch(), "HEAD" if errand.head == WORK_TREE else errand.head)
