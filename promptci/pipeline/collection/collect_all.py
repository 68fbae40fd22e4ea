"""Collect every prompt of one revision, or those that were named."""

from dataclasses import replace

from promptci.config.model import Config
from promptci.errors import InputError, Problem, UsageError
from promptci.git.snapshot import Snapshot
from promptci.pipeline.collection import collect, coverage, plan_prompt
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.collection.prompt_version import PromptVersion
from promptci.pipeline.collection.side_files import application_version
from promptci.runs.prompt_plan import PromptPlan, Status


def collect_all(head: Snapshot, config: Config) -> tuple[tuple[PromptPlan, ...], tuple[Problem, ...]]:
    """Plan every prompt of one revision that can be read, and return every mistake in the files of the others."""
    revision = collect.Revision(snapshot=head, config=config)
    prompts, problems = collect.load_prompts(head, config.prompts.include, config.prompt_options)
    application = application_version.identify_application(head, config.provider)
    prompts = application_version.mark_application(prompts, application)
    problems += coverage.find_idle_selectors(head, config, prompts.values(), {problem.path for problem in problems})
    plans = []
    for prompt in prompts.values():
        try:
            goldens = collect.load_golden_set(revision, prompt, collect.find_goldens(revision, prompt))
        except InputError as error:
            problems.extend(error.problems)
        else:
            version = PromptVersion(prompt=prompt, goldens=goldens)
            status = Status.UNCHANGED
            plans.append(plan_prompt.plan_prompt(prompt.name, prompt.path, status, None, version, ["requested"]))
    return tuple(plans), tuple(problems)


def select_prompts(collected: CollectedRun, names: tuple[str, ...]) -> CollectedRun:
    """Return the run with only the named prompts, all if no name is given; raise UsageError for an unknown name."""
    known = [plan.name for plan in collected.plans]
    missing = [name for name in names if name not in known]
    if missing:
        raise UsageError(f"there is no prompt `{missing[0]}`", f"There are: {', '.join(known) or 'none'}.")
    return replace(collected, plans=tuple(p for p in collected.plans if not names or p.name in names))
