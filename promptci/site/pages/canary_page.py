"""The page of all canaries: those that run, their evidence against the thresholds, and how others ended."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from promptci.lazy_dataclass import dataclass
from promptci.present import charts
from promptci.site.model import CanaryMetric, SiteCanaryLook, SiteEvent, SiteEvidence, SitePrompt, SiteRecords
from promptci.site.pages.frame import Frame
from promptci.site.view.answers import DEPLOYING

HEIGHT, BOTTOM, LEFT = 190.0, 28.0, 36.0
MAX_CANARIES = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnMetric:
    """One metric of a canary."""

    metric: CanaryMetric
    drawing: Markup | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownCanary:
    """One canary from its beginning to its end."""

    prompt: SitePrompt
    environment: str
    version: str
    stable: str
    is_running: bool
    events: tuple[SiteEvent, ...]
    """Oldest first."""
    look: SiteCanaryLook | None
    metrics: tuple[DrawnMetric, ...]

    @property
    def slug(self) -> str:
        """How it ended, or stands."""
        last = self.events[-1].what if self.events else ""
        if last == "rolled-back":
            return "bad"
        if last == "held" or (self.look is not None and self.is_running and self.look.outcome == "hold"):
            return "warn"
        return "mute" if self.is_running else "good"

    @property
    def outcome(self) -> str:
        """The same in words."""
        words = {"bad": "rolled back", "warn": "held", "mute": "running", "good": "given all traffic"}
        return words[self.slug]


def render_canaries(frame: Frame, records: SiteRecords) -> bytes:
    """Return the page."""
    canaries = [canary for prompt in records.prompts for canary in find_canaries(prompt)]
    canaries.sort(key=lambda canary: (canary.is_running, canary.events[-1].at if canary.events else ""), reverse=True)
    return frame.render("canary.html.j2", "canary.html", canaries=canaries[:MAX_CANARIES], total=len(canaries))


def find_canaries(prompt: SitePrompt) -> list[ShownCanary]:
    """Return the canaries of a prompt."""
    running = {(pair.environment, pair.canary): pair for pair in prompt.running if pair.canary and not pair.rolled_back}
    events: dict[tuple[str, str], list[SiteEvent]] = {}
    for event in reversed(prompt.events):
        if event.what not in DEPLOYING | {"held"}:
            continue
        begins = event.what == "deployed" and event.share is not None and event.share < 100
        for version in (event.after, event.before):
            key = (event.environment, version)
            if version and (key in events or (begins and version == event.after)):
                events.setdefault(key, []).append(event)
                break
    looks = {(look.environment, look.canary.rpartition("/")[2]): look for look in prompt.looks}
    shown = []
    for key in dict.fromkeys([*events, *looks, *running]):
        environment, version = key
        look = looks.get(key)
        first = events[key][0] if events.get(key) else None
        known = [
            running[key].stable if key in running else "",
            look.stable if look else "",
            first.before if first else "",
        ]
        stable = next(filter(None, known), "")  # a canary may have taken the place of another one
        shown.append(
            ShownCanary(
                prompt=prompt,
                environment=environment,
                version=version,
                stable=stable.rpartition("/")[2],
                is_running=key in running,
                events=tuple(events.get(key, ())),
                look=look,
                metrics=tuple(_draw_metrics(look)) if look else (),
            )
        )
    return shown


def _draw_metrics(look: SiteCanaryLook) -> list[DrawnMetric]:
    return [
        DrawnMetric(
            metric=metric,
            drawing=draw_evidence(
                metric,
                [point for point in look.evidence if point.metric == metric.metric],
                f"{look.prompt}-{look.canary}-{metric.metric}",
            ),
        )
        for metric in look.metrics
    ]


def draw_evidence(metric: CanaryMetric, points: Sequence[SiteEvidence], name: str) -> Markup | None:
    """Draw the natural logarithm of the evidence by users of the canary, with what each decision needs."""
    if not points:
        return None
    tops = [metric.need_worse, metric.need_fine, *(max(each.log_e_worse, each.log_e_fine) for each in points)]
    low = max(min(0.0, *(min(each.log_e_worse, each.log_e_fine) for each in points)), -max(tops))
    across = charts.Axis(0, points[-1].canary_n, charts.CHART_WIDTH - LEFT, LEFT)
    up = charts.Axis(low, max(tops) * 1.05, HEIGHT - BOTTOM)
    floor = HEIGHT - BOTTOM
    parts = [charts.line((LEFT, floor), (charts.CHART_WIDTH, floor), charts.INK)]
    parts += [
        charts.text(LEFT - 4, floor - up(value) + 3.5, f"{value:g}", "end")
        for value in charts.axis_ticks(low, max(tops) * 1.05)
    ]
    parts += [
        charts.text(across(value), floor + 14, f"{value:,.0f}", "middle")
        for value in charts.axis_ticks(0, points[-1].canary_n)
    ]
    for need, values, colour in (
        (metric.need_worse, [each.log_e_worse for each in points], charts.LIMIT),
        (metric.need_fine, [each.log_e_fine for each in points], charts.AFTER),
    ):
        parts.append(charts.line((LEFT, floor - up(need)), (charts.CHART_WIDTH, floor - up(need)), colour, dash=True))
        path = [(across(each.canary_n), floor - up(value)) for each, value in zip(points, values, strict=True)]
        parts.append(charts.polyline(path, colour))
    last = points[-1]
    described = (
        f"after {last.canary_n:,} users: worse {last.log_e_worse:.1f} of {metric.need_worse:.1f},"
        f" within the limit {last.log_e_fine:.1f} of {metric.need_fine:.1f}"
    )
    identifier = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in name)
    size = (charts.CHART_WIDTH, HEIGHT)
    return charts.svg(f"evidence-{identifier}", f"Evidence: {metric.metric}", described, "".join(parts), size)
