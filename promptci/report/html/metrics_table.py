"""The table of numbers of a prompt: before, now, and what that is a change of."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from promptci.present import formatting
from promptci.report.build import comparability_view
from promptci.report.model.report import ArmView, LabelRowView, PercentilesView, PromptView
from promptci.report.text import number_text
from promptci.report.text.headline import DAYS_PER_MONTH

MOST_LABELS = 25
NONE = "–"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One line of the table, worded."""

    name: str
    before: str
    now: str
    change: str
    note: str = ""


def table(prompt: PromptView) -> Iterator[Figure]:
    """Give quality, cost and latency, as far as there is anything to say; no change where nothing can be compared."""
    unlike = bool(comparability_view.mismatches(prompt))
    for figure in _figures(prompt):
        yield replace(figure, change=NONE, note="not comparable") if unlike else figure


def _figures(prompt: PromptView) -> Iterator[Figure]:
    concluded = prompt.verdict != "error"
    if prompt.quality is not None and concluded:
        found = prompt.quality
        yield Figure(
            name=f"Quality ({found.measure})",
            before=formatting.percent(found.base),
            now=formatting.percent(found.head),
            change=formatting.signed_points(found.delta),
            note=f"{number_text.interval_words(found)}, over {formatting.count(prompt.pairs, 'pair')}",
        )
    if concluded:
        yield from _all_cases(prompt)
    yield from _cost(prompt)
    yield from _tokens(prompt)
    yield from _latency(prompt)


def _all_cases(prompt: PromptView) -> Iterator[Figure]:
    """Give quality over every case asked, where that is not the same cases as the comparison."""
    head = prompt.head
    if head is None or head.quality is None or (prompt.quality is not None and prompt.pairs == prompt.cases):
        return
    note = ""
    if head.quality_interval is not None:
        lo, hi = (formatting.percent(end) for end in head.quality_interval)
        note = f"95% interval now: {lo} to {hi}"
    before = prompt.base.quality if prompt.base else None
    yield Figure(
        name="Quality over all cases",
        before=NONE if before is None else formatting.percent(before),
        now=formatting.percent(head.quality),
        change=NONE if before is None else formatting.signed_points(head.quality - before),
        note=note,
    )


def _cost(prompt: PromptView) -> Iterator[Figure]:
    cost = prompt.cost_usd
    before, now = cost.base_per_request, cost.head_per_request
    if prompt.head is None:
        return
    yield Figure(
        name="Cost per request",
        before=_or_none(prompt.base, formatting.money(before)),
        now=formatting.money(now),
        change=formatting.change(now / before - 1) if before and now is not None else NONE,
        note="list price" if now is not None else "no price is known for the model",
    )
    if cost.requests_per_day is None or now is None:
        return
    per_month = cost.requests_per_day * DAYS_PER_MONTH
    yield Figure(
        name="Cost per month",
        before=_or_none(prompt.base, formatting.money(None if before is None else before * per_month)),
        now=formatting.money(now * per_month),
        change=NONE if cost.delta_per_month is None else formatting.signed_money(cost.delta_per_month),
        note=f"{formatting.number(cost.requests_per_day)} requests a day, {DAYS_PER_MONTH} days",
    )


def _tokens(prompt: PromptView) -> Iterator[Figure]:
    """Give the tokens of a request and of a month, where the endpoint counts them."""
    before, now = (_total(arm) for arm in (prompt.base, prompt.head))
    if now is None or prompt.head is None:
        return
    yield Figure(
        name="Tokens per request",
        before=NONE if before is None else formatting.tokens(before),
        now=formatting.tokens(now),
        change=formatting.change(now / before - 1) if before else NONE,
        note=f"{formatting.tokens(prompt.head.input_tokens)} in"
        f" and {formatting.tokens(prompt.head.output_tokens)} out now",
    )
    requests = prompt.cost_usd.requests_per_day
    if requests is not None:
        months = [None if total is None else total * requests * DAYS_PER_MONTH for total in (before, now)]
        yield Figure(
            name="Tokens per month",
            before=NONE if months[0] is None else formatting.tokens(months[0]),
            now=formatting.tokens(months[1]),
            change=formatting.change(now / before - 1) if before else NONE,
            note="input and output",
        )


def _total(arm: ArmView | None) -> float | None:
    """Give the tokens of a request in all."""
    if arm is None or arm.input_tokens is None or arm.output_tokens is None:
        return None
    return arm.input_tokens + arm.output_tokens


def _latency(prompt: PromptView) -> Iterator[Figure]:
    base, head = prompt.latency_ms.base, prompt.latency_ms.head
    if base is None and head is None:
        return
    for name, before, now in (
        ("p50", base.p50 if base else None, head.p50 if head else None),
        ("p95", base.p95 if base else None, head.p95 if head else None),
        ("p99", base.p99 if base else None, head.p99 if head else None),
    ):
        yield Figure(
            name=f"Latency {name}",
            before=NONE if before is None else formatting.duration(before),
            now=NONE if now is None else formatting.duration(now),
            change=formatting.change(now / before - 1) if before and now is not None else NONE,
            note=_certainty(name, [side for side in (base, head) if side is not None]),
        )


def _certainty(name: str, sides: list[PercentilesView]) -> str:
    """Say where there are too few answers for the percentile to be bounded from above."""
    certain = {"p50": True, "p95": all(s.p95_certain for s in sides), "p99": all(s.p99_certain for s in sides)}
    n = min(side.n for side in sides)
    return "" if certain[name] else f"too few answers to tell ({n:,})"


def _or_none(arm: ArmView | None, text: str) -> str:
    return NONE if arm is None else text


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """How often one label was given where another, or the same, was expected."""

    count: int
    mood: str
    """`hit` or `miss` with a depth from 1 to 3 by its share of the row; empty for none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixRow:
    """One expected label."""

    label: LabelRowView
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Matrix:
    """A confusion matrix: expected labels down, given labels across."""

    title: str
    given: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    left_out: int
    """Expected labels for which there is no room."""


def matrices(prompt: PromptView) -> Iterator[Matrix]:
    """Give the confusion matrix of each version that has labels."""
    for title, arm in (("Before", prompt.base), ("Now", prompt.head)):
        if arm is not None and arm.labels:
            given = tuple(dict.fromkeys(label for row in arm.labels for label in row.counts))[:MOST_LABELS]
            yield Matrix(
                title=title,
                given=given,
                rows=tuple(_row(row, given) for row in arm.labels[:MOST_LABELS]),
                left_out=max(0, len(arm.labels) - MOST_LABELS),
            )


def _row(row: LabelRowView, given: tuple[str, ...]) -> MatrixRow:
    whole = sum(count for count in row.counts.values() if count > 0) or 1
    return MatrixRow(
        label=row, cells=tuple(_cell(row.counts.get(label, 0), whole, hit=label == row.label) for label in given)
    )


def _cell(count: int, whole: int, *, hit: bool) -> Cell:
    depth = min(3, 1 + 3 * count // whole)
    return Cell(count=count, mood=f"{'hit' if hit else 'miss'}{depth}" if count > 0 else "")
