"""Check golden sets for what makes them say less than they seem to, and count what is in them. No model is asked."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Literal

from pydantic import BaseModel, Field

from promptci.documents.document import Document
from promptci.errors import Problem, PromptciError
from promptci.evaluation import run
from promptci.evaluation.memory import run_memory
from promptci.git.repo import Repo
from promptci.goldens.checks.lint import LintFinding, limit_findings, lint_cases
from promptci.goldens.checks.unused_variables import find_unused_variables
from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass
from promptci.memory.model import CaseRecord
from promptci.memory.never_failed import find_never_failed
from promptci.pipeline.collection.collect_all import select_prompts
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.plan import planning
from promptci.present import formatting
from promptci.prompts.template.render import format_value
from promptci.report.build.memory_view import case_digest
from promptci.report.model import json_safe
from promptci.runs.prompt_plan import PromptPlan
from promptci.wording import join_names

MAX_LABELS = 5
MAX_FILES = 5
"""Empty files that are named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GoldensRequest:
    """Whose golden cases are meant."""

    root: Path
    config_path: str
    head: str = "."
    prompts: tuple[str, ...] = ()


class LintRow(BaseModel):
    """One finding."""

    prompt: str
    rule: str
    file: str
    line: int | None
    message: str
    hint: str


class LintDocument(Document):
    """What is doubtful about golden sets."""

    schema_: Literal["promptci/goldens-lint/v1"] = Field(default="promptci/goldens-lint/v1", alias="schema")
    cases: int
    findings: list[LintRow]
    notes: list[str] = Field(default=[], description="What was not looked for, and why.")


class GoldenCounts(BaseModel):
    """What the golden set of one prompt holds."""

    prompt: str
    files: list[str]
    cases: int
    written_ids: int = Field(description="Cases with an `id` of their own.")
    critical: int
    clusters: int
    assertions: dict[str, int] = Field(description="Cases by type of assertion.")
    tags: dict[str, int]
    expected: dict[str, int] = Field(description="The most frequent expected answers.")
    expected_kinds: int = Field(description="Different expected answers.")
    variable_chars: dict[str, list[int]] = Field(description="Median and largest length of each variable.")


class StatsDocument(Document):
    """What golden sets hold."""

    schema_: Literal["promptci/goldens-stats/v1"] = Field(default="promptci/goldens-stats/v1", alias="schema")
    prompts: list[GoldenCounts]


def lint(request: GoldensRequest, now: datetime) -> LintDocument:
    """Return what is doubtful about the golden sets.

    Raises
    ------
    InputError
        With every mistake in the files.
    PromptciError
        Where there is no case: nothing was checked, which is no good sign.
    """
    with closing(Repo.discover(request.root).snapshot(request.head)) as head:
        collected = select_prompts(run.collect_everything(head, request.config_path), request.prompts)
        past = run_memory.read_earlier_cases(request.root, collected.config.run.memory, head, now)
    if not any(plan.task.cases for plan in collected.plans):
        empty = sorted({path for plan in collected.plans for path in plan.change.goldens_paths})
        hint = "See `prompts.goldens` in promptci.yml for the place of golden cases."
        if empty:
            hint = f"Add cases to {join_names(empty, MAX_FILES)}, which {'is' if len(empty) == 1 else 'are'} empty."
        raise PromptciError("No prompt has golden cases, so nothing was checked", hint)
    rows = [
        _lint_row(plan, finding)
        for plan in collected.plans
        for finding in (
            *limit_findings("unusable", planning.find_mistakes(plan, collected)),
            *lint_cases(_list_cases(plan), _list_texts(plan)),
            *limit_findings("unused-variable", _find_unused_variables(plan)),
            *limit_findings("never-failed", _find_never_failed(plan, collected, past.cases)),
        )
    ]
    notes = [f"never-failed: {note}" for note in past.notes]
    return LintDocument(cases=sum(len(plan.task.cases) for plan in collected.plans), findings=rows, notes=notes)


def _find_unused_variables(plan: PromptPlan) -> Iterator[Problem]:
    variables = plan.change.head.variables if plan.change.head else ()
    return find_unused_variables(_list_cases(plan), variables)


def _lint_row(plan: PromptPlan, finding: LintFinding) -> LintRow:
    return LintRow(
        prompt=plan.name,
        rule=finding.rule,
        file=finding.problem.path,
        line=finding.problem.line,
        message=finding.problem.message,
        hint=finding.problem.hint,
    )


def _find_never_failed(plan: PromptPlan, collected: CollectedRun, records: Iterable[CaseRecord]) -> Iterator[Problem]:
    """Yield the cases that no version ever failed; a critical case is meant to be one."""
    judge = run_memory.digest_judge(collected)
    cases = {json_safe.text(case.id): case for case in _list_cases(plan) if not case.critical}
    digests = {case_id: case_digest(case, judge) for case_id, case in cases.items()}
    for history in find_never_failed(records, json_safe.text(plan.name), digests):
        case = cases[history.case]
        message = f"`{case.id}` passed all {history.answers:,} times, under {history.versions} versions of the prompt"
        hint = "It tells no two versions apart. Make it harder, or mark it `critical` if it must never break."
        yield Problem(path=case.path, line=case.line, message=message, hint=hint)


def lint_lines(document: LintDocument) -> Iterator[str]:
    """Yield what a person reads."""
    for row in document.findings:
        place = row.file if row.line is None else f"{row.file}:{row.line}"
        yield f"{row.rule}: {place}: {row.message}. {row.hint}"
    yield from document.notes
    total = formatting.count(len(document.findings), "finding")
    yield f"{total} in {formatting.count(document.cases, 'case')}"


def count_goldens(request: GoldensRequest) -> StatsDocument:
    """Return what the golden sets hold; raises InputError with every mistake in the files."""
    return StatsDocument(prompts=[_count(plan) for plan in _load_plans(request)])


def stats_lines(document: StatsDocument) -> Iterator[str]:
    """Yield what a person reads."""
    for counts in document.prompts:
        files = ", ".join(counts.files) or "testData"
        yield f"{counts.prompt}: {formatting.count(counts.cases, 'case')} in {files}"
        clusters = formatting.count(counts.clusters, "cluster")
        yield f"  {counts.written_ids} with an id, {counts.critical} critical, {clusters}"
        for title, numbers in (("assertions", counts.assertions), ("tags", counts.tags), ("expected", counts.expected)):
            if numbers:
                others = counts.expected_kinds - len(numbers) if title == "expected" else 0
                listed = [f"{name} {number}" for name, number in numbers.items()]
                yield f"  {title}: {join_names(listed, len(listed), others=max(0, others), last=', ')}"
        for name, (middle, largest) in counts.variable_chars.items():
            yield f"  variable {name}: {middle:,} characters in the median, at most {largest:,}"


def _load_plans(request: GoldensRequest) -> Sequence[PromptPlan]:
    with closing(Repo.discover(request.root).snapshot(request.head)) as head:
        return select_prompts(run.collect_everything(head, request.config_path), request.prompts).plans


def _list_cases(plan: PromptPlan) -> list[Case]:
    return [planned.case for planned in plan.task.cases]


def _list_texts(plan: PromptPlan) -> list[str]:
    return [] if plan.change.head is None else [message.content for message in plan.change.head.messages]


def _count(plan: PromptPlan) -> GoldenCounts:
    cases = _list_cases(plan)
    lengths: dict[str, list[int]] = {}
    for case in cases:
        for name, value in case.vars.items():
            lengths.setdefault(str(name), []).append(len(format_value(value)))
    expected = Counter(format_value(case.expected)[:60] for case in cases if case.expected is not None)
    return GoldenCounts(
        prompt=plan.name,
        files=list(plan.change.goldens_paths),
        cases=len(cases),
        written_ids=sum(case.has_written_id for case in cases),
        critical=sum(case.critical for case in cases),
        clusters=len({case.cluster for case in cases if case.cluster}),
        assertions=dict(Counter(kind for case in cases for kind in {a.type for a in case.assertions}).most_common()),
        tags=dict(Counter(tag for case in cases for tag in case.tags).most_common()),
        expected=dict(expected.most_common(MAX_LABELS)),
        expected_kinds=len(expected),
        variable_chars={name: [round(median(numbers)), max(numbers)] for name, numbers in lengths.items()},
    )
