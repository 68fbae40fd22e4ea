"""The main request: test what a change touches against what it replaces, and decide."""

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from promptci.app.requests import CheckRequest, RunResult
from promptci.config.find import find_config
from promptci.errors import InputError
from promptci.evaluation import evaluate
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE, Snapshot
from promptci.git.state_folder import check_output_folder
from promptci.lazy_import import lazy_import
from promptci.pipeline.collection import collect
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.environment import Environment
from promptci.pipeline.revisions import Revisions

if TYPE_CHECKING:
    from promptci.evaluation import comment_template, results
else:
    comment_template = lazy_import("promptci.evaluation.comment_template")
    results = lazy_import("promptci.evaluation.results")


def check(request: CheckRequest, env: Environment) -> RunResult:
    """Compare the prompts changed between two revisions and decide.

    Raises
    ------
    GitError, UsageError
        Where a revision cannot be found. Everything else that goes wrong becomes a report with the verdict `error`.
    """
    repo = Repo.discover(request.root)
    check_output_folder(request.root, request.out)
    base_revision, base_name = find_base(repo, request)
    with closing(repo.snapshot(request.head)) as head, closing(repo.snapshot(base_revision)) as base:
        revisions = Revisions(
            base=base,
            head=head,
            base_name=base_name,
            head_name=request.head_name or request.head,
        )
        try:
            collected = collect.collect_changes(base, head, repo.changes(base, head), request.config_path)
            if request.base is None and not collected.plans and _is_own_base(repo, base_revision, request, base, head):
                collected = replace(collected, is_own_base=True)
            if request.head == WORK_TREE:
                collected = _name_uncommitted_setup(collected, repo, request.config_path)
            result = evaluate.evaluate(collected, revisions, request, env)
            template = collected.config.comment_template
            if template is None:
                return result
            binding = base if find_config(base, request.config_path) else head
            return comment_template.render_own_comment(result, binding, template)
        except InputError as error:
            return results.write_refusal(error, revisions, request, env)


def _is_own_base(repo: Repo, base_revision: str, request: CheckRequest, base: Snapshot, head: Snapshot) -> bool:
    """Return whether the merge base is the commit that is tested, and nothing was edited since."""
    head_revision = "HEAD" if request.head == WORK_TREE else request.head
    return repo.resolve(head_revision) == repo.resolve(base_revision) and not repo.changes(base, head)


def _name_uncommitted_setup(collected: CollectedRun, repo: Repo, config_path: str) -> CollectedRun:
    """Name the files of the set-up that only the working tree has, for prompts that base has no golden case of."""
    first = [plan for plan in collected.plans if plan.has_first_goldens]
    if not first:
        return collected
    with closing(repo.snapshot("HEAD")) as last_commit, closing(repo.snapshot(WORK_TREE)) as tree:
        config = find_config(tree, config_path)
        changes = {
            plan.name: replace(
                plan.change,
                uncommitted=tuple(
                    path
                    for path in (*filter(None, [config]), *plan.change.goldens_paths)
                    if last_commit.read(path) is None
                ),
            )
            for plan in first
        }
    plans = (replace(plan, change=changes.get(plan.name, plan.change)) for plan in collected.plans)
    return replace(collected, plans=tuple(plans))


def find_base(repo: Repo, request: CheckRequest) -> tuple[str, str]:
    """Return the revision to compare with and its name: the one asked for, else where head left the default branch.

    After criss-cross merges there are several such places; the newest is taken, and its name says so.
    """
    if request.base is not None:
        return request.base, request.base_name or request.base
    bases = repo.merge_bases(repo.default_branch(), "HEAD" if request.head == WORK_TREE else request.head)
    return bases[0], (request.base_name or "merge base") + describe_choice(len(bases))


def describe_choice(count: int) -> str:
    """Return what to add to the name of a merge base that was chosen from so many; empty where it is the only one."""
    return f" (the newest of {count} merge bases)" if count > 1 else ""
