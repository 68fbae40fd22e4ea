"""Test prompts at one revision: no comparison, the absolute limits decide."""

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from promptci.app.requests import RunRequest, RunResult
from promptci.config.find import load_revision_config, require_named_config
from promptci.errors import InputError
from promptci.evaluation import evaluate
from promptci.git.repo import Repo
from promptci.git.snapshot import Snapshot
from promptci.git.state_folder import check_output_folder
from promptci.lazy_import import lazy_import
from promptci.pipeline.collection import binding_config, collect_all, coverage, prompt_settings
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.collection.side_files.rubric import load_rubric
from promptci.pipeline.environment import Environment
from promptci.pipeline.plan import planning
from promptci.pipeline.revisions import Revisions

if TYPE_CHECKING:
    from promptci.evaluation import comment_template, results
else:
    comment_template = lazy_import("promptci.evaluation.comment_template")
    results = lazy_import("promptci.evaluation.results")


def run(request: RunRequest, env: Environment) -> RunResult:
    """Ask every prompt of one revision its golden cases.

    Raises
    ------
    GitError, UsageError
        Where the revision cannot be found.
    """
    repo = Repo.discover(request.root)
    check_output_folder(request.root, request.out)
    with closing(repo.snapshot(request.head)) as head:
        revisions = Revisions(head=head, head_name=request.head_name or request.head)
        try:
            collected = collect_everything(head, request.config_path)
            result = evaluate.evaluate(collected, revisions, request, env)
            template = collected.config.comment_template
            return result if template is None else comment_template.render_own_comment(result, head, template)
        except InputError as error:
            return results.write_refusal(error, revisions, request, env)


def collect_everything(head: Snapshot, config_path: str) -> CollectedRun:
    """Plan all prompts of a revision as if they were new; raise InputError with every mistake in the files."""
    require_named_config([head], config_path)
    config = load_revision_config(head, config_path)
    uncovered, notes = coverage.check_patterns(head, [config], config_path)
    mistakes, doubts = binding_config.find_idle_patterns(head, config, config_path)
    if uncovered or mistakes:
        raise InputError(uncovered or mistakes)
    notes += map(str, doubts)
    notes += coverage.note_ignored_prompts(head)
    plans, problems = collect_all.collect_all(head, config)
    source = f"{config_path} at {head.label}" if config.present else "defaults (there is no promptci.yml)"
    collected = CollectedRun(config=config, config_source=source, plans=plans, notes=tuple(notes), problems=problems)
    try:
        collected = replace(collected, rubric=load_rubric(head, config.judge.rubric))
        collected = prompt_settings.apply_prompt_settings(collected, None, head, config_path)
    except InputError as error:
        raise InputError(dict.fromkeys([*problems, *error.problems])) from error
    if problems:  # what is wrong with the cases of the others is named with them
        mistakes = [problem for plan in collected.plans for problem in planning.find_mistakes(plan, collected)]
        raise InputError(dict.fromkeys([*problems, *mistakes]))
    return collected
