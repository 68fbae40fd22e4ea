"""DataFrames of a report.json: one row for each prompt, or for each answer shown of a case."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptci.frames.table import build_table
from promptci.report.model.case import AnswerView, CaseView
from promptci.report.model.report import PromptView, ReportView

if TYPE_CHECKING:
    import pandas as pd

_OF_CASE = ("id", "change", "outcome", "critical", "weight", "input", "expected", "flaky", "excluded_reason")
_OF_ANSWER = (
    "text", "passed", "score", "error", "model", "finish_reason", "input_tokens", "output_tokens", "latency_ms",
    "cost_usd", "cached",
)  # fmt: skip
CASE_COLUMNS = ("prompt", "case", "version", "pass_rate", "tags", *_OF_CASE[1:], *_OF_ANSWER)
PROMPT_COLUMNS = (
    "prompt", "path", "status", "verdict", "sentence", "cases", "pairs", "errors", "answers_requested", "base", "head",
    "delta", "low", "high", "p", "base_p95_ms", "head_p95_ms", "base_usd", "head_usd", "usd_per_month",
)  # fmt: skip


def load_cases(report: str | Path) -> "pd.DataFrame":
    """Return the cases of a report.json: two rows for a case that both versions answered (`version`: base, head).

    `pass_rate` counts all repeats; the answer is the one that the report shows. Latency is in milliseconds, cost in
    US dollars, and what is unknown is `<NA>`.

    Raises
    ------
    InputError
        If the file cannot be read, or is no report.
    UsageError
        If pandas is not installed.
    """
    view = _load(report)
    return build_table(
        (row for prompt in view.prompts for case in prompt.case_details for row in _case_rows(prompt, case)),
        CASE_COLUMNS,
    )


def load_prompts(report: str | Path) -> "pd.DataFrame":
    """Return the prompts of a report.json, one a row: verdict, quality of both versions, interval, p95, cost.

    `base`, `head`, `delta` and its interval `low`..`high` are shares from 0 to 1.

    Raises
    ------
    InputError
        If the file cannot be read, or is no report.
    UsageError
        If pandas is not installed.
    """
    return build_table((_prompt_row(prompt) for prompt in _load(report).prompts), PROMPT_COLUMNS)


def _load(report: str | Path) -> ReportView:
    path = Path(report)
    return ReportView.load(path.resolve(), str(path))


def _case_rows(prompt: PromptView, case: CaseView) -> Iterator[Mapping[str, Any]]:
    versions: tuple[tuple[str, AnswerView | None, float | None], ...] = (
        ("base", case.base, case.base_pass_rate),
        ("head", case.head, case.head_pass_rate),
    )
    for version, answer, pass_rate in versions:
        if answer is not None:
            row: dict[str, Any] = {"prompt": prompt.name, "version": version, "pass_rate": pass_rate}
            row |= {"case": case.id, "tags": ", ".join(case.tags)}
            row |= {name: getattr(case, name) for name in _OF_CASE[1:]}
            yield row | {name: getattr(answer, name) for name in _OF_ANSWER}


def _prompt_row(prompt: PromptView) -> Mapping[str, Any]:
    row: dict[str, Any] = {
        "prompt": prompt.name,
        "base_p95_ms": prompt.latency_ms.base.p95 if prompt.latency_ms.base else None,
        "head_p95_ms": prompt.latency_ms.head.p95 if prompt.latency_ms.head else None,
        "base_usd": prompt.cost_usd.base_per_request,
        "head_usd": prompt.cost_usd.head_per_request,
        "usd_per_month": prompt.cost_usd.delta_per_month,
    }
    row |= {
        name: getattr(prompt, name)
        for name in ("path", "status", "verdict", "sentence", "cases", "pairs", "errors", "answers_requested")
    }
    if prompt.quality is not None:
        quality = prompt.quality
        low, high = quality.interval or (None, None)
        row |= {"base": quality.base, "head": quality.head, "delta": quality.delta, "low": low, "high": high}
        row["p"] = quality.p
    return row
