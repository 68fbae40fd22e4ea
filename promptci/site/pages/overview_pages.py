"""The pages about all prompts together: pipeline, list, drift, alerts, spend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from markupsafe import Markup

from promptci.drift.night import NightLine
from promptci.lazy_dataclass import dataclass
from promptci.present import charts
from promptci.site.model import AlertChange, SitePrompt, SiteRecords
from promptci.site.pages.frame import Frame
from promptci.site.pages.series_chart import embed_json
from promptci.site.view import answers, nights, stages
from promptci.site.view.stages import Pipeline

MAX_CARDS = 40
"""Of a stage, on the front page."""
ROWS_PER_PAGE = 250
LAST_NIGHTS = 30
MAX_ALERTS = 150


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftOverview:
    """One prompt on the page of drift."""

    prompt: SitePrompt
    nights: tuple[NightLine, ...]
    bar: Markup | None

    @property
    def last(self) -> NightLine | None:
        """The last night."""
        return self.nights[-1] if self.nights else None


def render_pipeline(frame: Frame, records: SiteRecords) -> bytes:
    """Return the front page."""
    pipeline = stages.build_pipeline(records)
    return frame.render(
        "index.html.j2",
        "index.html",
        records=records,
        pipeline=pipeline,
        max_cards=MAX_CARDS,
        index=embed_json(_search_index(frame, pipeline)),
        latest=records.events[:12],
        problems=[
            f"{repository.name}: {problem}" if frame.several else problem
            for repository in records.repositories
            for problem in repository.problems
        ],
        lacking=[repository.name for repository in records.repositories if not repository.has_history],
        newest=max((repository.newest_record for repository in records.repositories), default=""),
        by_name={(prompt.repository, prompt.name): prompt for prompt in records.prompts},
    )


def _search_index(frame: Frame, pipeline: Pipeline) -> list[list[str]]:
    return [
        [card.prompt.name, frame.prompt_link(card.prompt), stage, card.version, card.note]
        for stage, cards in pipeline.stages.items()
        for card in cards
    ]


def render_prompt_lists(frame: Frame, records: SiteRecords) -> dict[str, bytes]:
    """Return the pages that list every prompt, by their paths."""
    rows = []
    for prompt in records.prompts:
        pair = answers.find_main_pair(prompt)
        last, _ = nights.parse_nights(prompt.night_lines[-1:])
        known = None if pair is None else answers.answer(prompt, pair)
        rows.append((prompt, known, last[0] if last else None, [stage for stage, _ in stages.find_cards(prompt)]))
    pages = [rows[start : start + ROWS_PER_PAGE] for start in range(0, len(rows), ROWS_PER_PAGE)] or [[]]
    names = _page_names("prompts", len(pages))
    return {
        name: frame.render("prompts.html.j2", name, rows=shown, total=len(rows), pages=names)
        for name, shown in zip(names, pages, strict=True)
    }


def _page_names(stem: str, count: int) -> list[str]:
    return [f"{stem}.html", *(f"{stem}-{number}.html" for number in range(2, count + 1))]


def render_drift(frame: Frame, records: SiteRecords) -> dict[str, bytes]:
    """Return the pages of drift, those with a finding first."""
    rows = []
    for prompt in records.prompts:
        watched, _ = nights.parse_nights(prompt.night_lines[-LAST_NIGHTS:])
        if watched or prompt.reference:
            rows.append(DriftOverview(prompt=prompt, nights=tuple(watched), bar=_draw_sum(watched)))
    rows.sort(key=lambda row: (not stages.has_open_drift(row.prompt), row.prompt.name))
    unwatched = [prompt for prompt in records.prompts if prompt.running and not prompt.night_lines]
    per_page = 80
    pages = [rows[start : start + per_page] for start in range(0, len(rows), per_page)] or [[]]
    names = _page_names("drift", len(pages))
    return {
        name: frame.render(
            "drift.html.j2", name, rows=shown, total=len(rows), unwatched=unwatched[:100], n_unwatched=len(unwatched),
            pages=names, drifting=sum(stages.has_open_drift(row.prompt) for row in rows),
        )
        for name, shown in zip(names, pages, strict=True)
    }  # fmt: skip


def _draw_sum(watched: Sequence[NightLine]) -> Markup | None:
    """Draw the sum of drops as a part of its limit."""
    if not watched or not watched[-1].h:
        return None
    share = max(0.0, watched[-1].cusum) / watched[-1].h
    colour = charts.LIMIT if share >= 1 else charts.AFTER
    parts = charts.rect((0, 5), (100, 6), "var(--line)") + charts.rect((0, 5), (min(share, 1) * 100, 6), colour)
    words = f"{share:.0%} of the limit"
    return Markup('<svg class="bar" viewBox="0 0 100 16" role="img"><title>{}</title>{}</svg>').format(
        words,
        Markup(parts),  # noqa: S704 - numbers
    )


def render_alerts(frame: Frame, records: SiteRecords) -> bytes:
    """Return the page of alerts."""
    by_prompt: dict[tuple[str, str], SitePrompt] = {}
    changes: list[tuple[AlertChange, SitePrompt]] = []
    for prompt in records.prompts:
        by_prompt[prompt.repository, prompt.name] = prompt
        changes += [(alert, prompt) for alert in prompt.alerts]
    changes.sort(key=lambda pair: pair[0].at, reverse=True)
    last = {}
    for alert, prompt in reversed(changes):
        last[prompt.repository, prompt.name, alert.rule] = (alert, prompt)
    opened = [pair for pair in last.values() if pair[0].what in {"opened", "updated"}]
    return frame.render(
        "alerts.html.j2",
        "alerts.html",
        opened=opened,
        changes=changes[:MAX_ALERTS],
        total=len(changes),
        log_newest=records.log_newest,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class SpendRow:
    """What one prompt cost, by month."""

    prompt: SitePrompt
    production: dict[str, Decimal]
    tests: dict[str, Decimal]
    unknown: int
    """Requests whose cost is not logged."""


def render_spend(frame: Frame, records: SiteRecords) -> dict[str, bytes]:
    """Return the pages of spend, the most expensive prompts first."""
    rows = [row for prompt in records.prompts if (row := _spend_of(prompt)).production or row.tests or row.unknown]
    rows.sort(key=lambda row: (-sum(row.production.values()), -sum(row.tests.values()), row.prompt.name))
    months = sorted({month for row in rows for month in (*row.production, *row.tests)}, reverse=True)[:6]
    totals = {
        month: (
            sum((row.production.get(month, Decimal()) for row in rows), Decimal()),
            sum((row.tests.get(month, Decimal()) for row in rows), Decimal()),
        )
        for month in months
    }
    pages = [rows[start : start + 200] for start in range(0, len(rows), 200)] or [[]]
    names = _page_names("spend", len(pages))
    return {
        name: frame.render(
            "spend.html.j2", name, rows=shown, total=len(rows), months=months, totals=totals, pages=names,
            has_log=bool(records.log_newest),
        )
        for name, shown in zip(names, pages, strict=True)
    }  # fmt: skip


def _spend_of(prompt: SitePrompt) -> SpendRow:
    production: dict[str, Decimal] = defaultdict(Decimal)
    tests: dict[str, Decimal] = defaultdict(Decimal)
    for period in prompt.monitored.days if prompt.monitored else ():
        if period.traffic.unknown_cost < period.traffic.requests:
            production[period.start[:7]] += period.traffic.cost_usd
    watched, _ = nights.parse_nights(prompt.night_lines[-200:])
    for night in watched:
        try:
            amount = Decimal(night.usd) if night.usd is not None else None
        except InvalidOperation:
            amount = None
        if amount is not None and amount.is_finite():
            tests[night.day[:7]] += amount
    unknown = prompt.monitored.traffic.unknown_cost if prompt.monitored else 0
    return SpendRow(prompt=prompt, production=dict(production), tests=dict(tests), unknown=unknown)
