"""Describe what the goldens of each prompt can decide, before anything is asked, and which belong to no prompt."""

import posixpath
from collections.abc import Collection, Iterator, Sequence

from promptci.compare.case_power import Asking
from promptci.config.model import Config
from promptci.errors import Problem
from promptci.gates.selftest import power_analysis
from promptci.git.snapshot import Snapshot
from promptci.goldens.checks import lint, unused_variables
from promptci.goldens.find import NAME, SIDE_FILE
from promptci.goldens.formats import BINARY_FORMATS, GOLDEN_FORMATS
from promptci.present import formatting
from promptci.prompts.discover import TEXT_SUFFIXES
from promptci.prompts.find import is_vendored
from promptci.prompts.model import Prompt
from promptci.runs.prompt_plan import PromptPlan
from promptci.scoring.judges.trust import MIN_LABELS
from promptci.wording import join_names, suggest

GITHUB_SUFFIXES = (".prompt.yml", ".prompt.yaml")
PROMPT_SUFFIXES = (*GITHUB_SUFFIXES, *TEXT_SUFFIXES)
GOLDEN_ENDINGS = {*GOLDEN_FORMATS, *BINARY_FORMATS}
ASSUMED_DISCORDANCE = 0.05
"""Share of cases that change their verdict by themselves, where nothing is measured."""
ASSUMED_SPREAD = 0.2
"""Standard deviation of a case's difference in scores, likewise."""


def find_unused_goldens(
    snapshot: Snapshot, pattern: str, names: Collection[str], used: Collection[str]
) -> Iterator[Problem]:
    """Yield a problem for each golden file where `prompts.goldens` looks that belongs to none of the prompts."""
    if not pattern.endswith(f"{NAME}.*") or "**" in pattern:
        return
    for path in snapshot.glob(pattern.replace(NAME, "*")):
        stem, ending = posixpath.splitext(posixpath.basename(path))
        if path in used or ending not in GOLDEN_ENDINGS or SIDE_FILE.search(path):
            continue
        hint = _explain_unused(stem, names, snapshot)
        yield Problem(path=path, message=f"no prompt is called `{stem}`, so these cases are not used", hint=hint)


def _explain_unused(stem: str, names: Collection[str], snapshot: Snapshot) -> str:
    """Return what to do about goldens without a prompt: their prompt is not included, or has another name."""
    prompts = [
        path
        for path in snapshot.paths()
        if posixpath.basename(path).split(".")[0] == stem and path.endswith(PROMPT_SUFFIXES) and not is_vendored(path)
    ]
    if prompts:
        return f"{join_names(prompts, 3)} may be the prompt: `prompts.include` in promptci.yml does not name it."
    near = suggest(stem, names)
    return f"{near} Rename the file then." if near else f"Rename it as its prompt: {join_names(sorted(names), 5)}."


def find_truthy_words(plans: Sequence[PromptPlan]) -> Iterator[Problem]:
    """Yield a problem for each variable whose text says no where a condition of the prompt takes any text for yes."""
    for plan in plans:
        texts = [message.content for message in plan.change.head.messages] if plan.change.head else []
        problems = lint.find_truthy_words([planned.case for planned in plan.task.cases], texts)
        yield from (finding.problem for finding in lint.limit_findings("truthy", problems))


def find_unused_variables(plans: Sequence[PromptPlan]) -> Iterator[Problem]:
    """Yield a problem for each variable of golden cases that nothing uses."""
    for plan in plans:
        if plan.change.head is not None:
            cases = [planned.case for planned in plan.task.cases]
            yield from unused_variables.find_unused_variables(cases, plan.change.head.variables)


def describe_missing_goldens(prompt: Prompt, files: Sequence[str], pattern: str) -> Problem:
    """Return the problem of a prompt without golden cases; `files` are its golden files, which are empty."""
    message = f"the prompt `{prompt.name}` has no golden cases, so nothing can be said of a change to it"
    if files:
        message = f"{message}: {join_names(files, 5)} {'is' if len(files) == 1 else 'are'} empty"
    path = files[0] if files else pattern.replace("{name}", prompt.name).replace("*", "jsonl")
    alternative = ", or as `testData` of the prompt" if prompt.path.lower().endswith(GITHUB_SUFFIXES) else ""
    hint = f"Write some to {path}{alternative}."
    return Problem(path=prompt.path, line=prompt.line, message=message, hint=hint)


def describe_missing_labels(name: str, pattern: str) -> Problem:
    """Return the problem of a judged prompt without labels, and how many of them it takes."""
    hint = (
        f"Let people mark {MIN_LABELS} answers or more: `promptci judge label --prompt {name}`. With fewer the judge is"
        " advisory; without any it counts, unchecked."
    )
    message = f"a model marks answers of `{name}`, and there are no labels to check its marks against"
    return Problem(path=pattern.replace(NAME, name).removesuffix(".*") + ".labels.jsonl", message=message, hint=hint)


def describe_goldens(plans: Sequence[PromptPlan], config: Config) -> Iterator[str]:
    """Yield a sentence for each prompt that has golden cases."""
    for plan in plans:
        cases = [planned.case for planned in plan.task.cases]
        if not cases:
            continue
        graded = any(case.is_graded for case in cases)
        analysis = power_analysis.analyze_power(
            cases,
            ASSUMED_SPREAD**2 if graded else ASSUMED_DISCORDANCE,
            drop=config.gate.max_drop,
            asking=Asking(repeats=config.run.repeats, max_calls=config.run.auto_calls),
            graded=graded,
            policy=config.gate,
        )
        critical = sum(case.critical for case in cases)
        also = f", and a break of its {formatting.count(critical, 'critical case')}" if critical else ""
        text = f"{plan.name}: {formatting.count(len(cases), 'golden case')}"
        if analysis.smallest_drop is None:
            yield f"{text} cannot show a drop of any size{also.replace(', and', ', only')}"
        else:
            yield f"{text} can show a drop of {formatting.points(analysis.smallest_drop)} or more{also}"
