"""The metrics of a prompt as rows of a table: quality, cost, tokens and latency, before and after. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from promptci.lazy_dataclass import dataclass
from promptci.present import formatting
from promptci.report.model.report import PercentilesView, PromptView, VersionView
from promptci.report.text import number_text
from promptci.report.text.number_text import DAYS_PER_MONTH

NONE = "–"


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One row of the table, formatted."""

    name: str
    before: str
    after: str
    change: str
    note: str = ""


def build_metrics(prompt: PromptView) -> Iterator[Metric]:
    """Return the known metrics; without a change if the versions are not comparable."""
    for metric in _metrics(prompt):
        yield replace(metric, change=NONE, note="not comparable: different models") if prompt.mismatches else metric


def _metrics(prompt: PromptView) -> Iterator[Metric]:
    concluded = number_text.is_measured(prompt)
    if prompt.quality is not None and concluded:
        quality = prompt.quality
        yield Metric(
            name=f"Quality ({quality.measure})",
            before=formatting.percent(quality.base),
            after=formatting.percent(quality.head),
            change=formatting.signed_points(quality.delta),
            note=f"{number_text.interval_words(quality)}, over {formatting.count(prompt.pairs, 'pair')}",
        )
    if concluded:
        yield from _all_cases(prompt)
    yield from _cost(prompt)
    yield from _tokens(prompt)
    yield from _latency(prompt)


def _all_cases(prompt: PromptView) -> Iterator[Metric]:
    """Return quality over all cases, if these are not the cases that were compared.

    Nothing where the change edits goldens: both versions of a case would count, a mean that no golden set has.
    """
    head = prompt.head
    if prompt.quality is not None and (prompt.new_cases or prompt.changed_cases):
        return
    if head is None or head.quality is None or (prompt.quality is not None and prompt.pairs == prompt.cases):
        return
    note = ""
    if head.quality_interval is not None:
        lo, hi = (formatting.percent(end) for end in head.quality_interval)
        note = f"95% interval after: {lo} to {hi}"
    before = prompt.base.quality if prompt.base else None
    yield Metric(
        name="Quality over all cases",
        before=NONE if before is None else formatting.percent(before),
        after=formatting.percent(head.quality),
        change=NONE if before is None else formatting.signed_points(head.quality - before),
        note=note,
    )


def _cost(prompt: PromptView) -> Iterator[Metric]:
    cost = prompt.cost_usd
    before, after = cost.base_per_request, cost.head_per_request
    if prompt.head is None:
        return
    yield Metric(
        name="Cost per request",
        before=_or_none(prompt.base, formatting.money(before)),
        after=formatting.money(after),
        change=formatting.change(after / before - 1) if before and after is not None else NONE,
        note=_price_note(prompt),
    )
    if cost.requests_per_day is None or after is None:
        return
    per_month = cost.requests_per_day * DAYS_PER_MONTH
    yield Metric(
        name="Cost per month",
        before=_or_none(prompt.base, formatting.money(None if before is None else before * per_month)),
        after=formatting.money(after * per_month),
        change=NONE if cost.delta_per_month is None else formatting.signed_money(cost.delta_per_month),
        note=f"{formatting.number(cost.requests_per_day)} requests a day, {DAYS_PER_MONTH} days",
    )


def _price_note(prompt: PromptView) -> str:
    """Return where the price comes from, or why there is none."""
    head = prompt.head
    if prompt.cost_usd.head_per_request is not None:
        return "price from promptci.yml" if prompt.cost_usd.own_price else "list price"
    if head is None or head.evaluated == 0:
        return "no answers, so no cost"
    return "the endpoint counts no tokens" if _total(head) is None else "no price is known for the model"


def _tokens(prompt: PromptView) -> Iterator[Metric]:
    """Return the tokens of a request and of a month, if the endpoint counts them."""
    before, after = (_total(version) for version in (prompt.base, prompt.head))
    if after is None or prompt.head is None:
        return
    yield Metric(
        name="Tokens per request",
        before=NONE if before is None else formatting.tokens(before),
        after=formatting.tokens(after),
        change=formatting.change(after / before - 1) if before else NONE,
        note="; ".join(
            f"{word}{formatting.tokens(version.input_tokens)} in, {formatting.tokens(version.output_tokens)} out"
            for word, version in (("before: ", prompt.base), ("after: " if prompt.base else "", prompt.head))
            if _total(version) is not None and version is not None
        ),
    )
    requests = prompt.cost_usd.requests_per_day
    if requests is not None:
        months = [None if total is None else total * requests * DAYS_PER_MONTH for total in (before, after)]
        yield Metric(
            name="Tokens per month",
            before=NONE if months[0] is None else formatting.tokens(months[0]),
            after=formatting.tokens(months[1]),
            change=formatting.change(after / before - 1) if before else NONE,
            note="input and output",
        )


def _total(version: VersionView | None) -> float | None:
    """Return input and output tokens of a request."""
    if version is None or version.input_tokens is None or version.output_tokens is None:
        return None
    return version.input_tokens + version.output_tokens


def _latency(prompt: PromptView) -> Iterator[Metric]:
    base, head = prompt.latency_ms.base, prompt.latency_ms.head
    if base is None and head is None:
        return
    for name in ("p50", "p95", "p99"):
        before, after = (None if side is None else getattr(side, name) for side in (base, head))
        yield Metric(
            name=f"Latency {name}",
            before=_percentile(base, name),
            after=_percentile(head, name),
            change=formatting.change(after / before - 1) if before and after is not None else NONE,
            note=_certainty(name, [side for side in (base, head) if side is not None]),
        )


def _percentile(side: PercentilesView | None, name: str) -> str:
    """Return a percentile, with `≈` where there are too few answers for an upper bound."""
    value: float | None = None if side is None else getattr(side, name)
    if side is None or value is None:
        return NONE
    return ("" if _is_certain(side, name) else "≈ ") + formatting.duration(value)


def _is_certain(side: PercentilesView, name: str) -> bool:
    return {"p50": True, "p95": side.p95_certain, "p99": side.p99_certain}[name]


def _certainty(name: str, sides: list[PercentilesView]) -> str:
    """Return a note if there are too few answers for an upper bound of the percentile."""
    certain = all(_is_certain(side, name) for side in sides)
    n = min(side.n for side in sides)
    return "" if certain else f"too few answers for an upper bound ({n:,})"


def _or_none(version: VersionView | None, text: str) -> str:
    return NONE if version is None else text
