"""The guided tour through the pages of the demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from promptci.lazy_dataclass import dataclass
from promptci.site.model import SiteEvent
from promptci.site.pages.frame import Frame


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedSides:
    """The same bad change with and without promptci."""

    per_day: float
    before: float
    after: float
    runs: int
    unseen_days: float
    requests_without: float
    harmed_without: float
    requests_with: float
    harmed_with: float
    minutes_with: float
    caught: float
    """Share of the simulated canaries that were rolled back."""


def render_tour(frame: Frame, sides: SimulatedSides, events: Sequence[SiteEvent], facts: Mapping[str, str]) -> bytes:
    """Return the page; `events` are those of the story's prompt, `facts` what its commands said."""
    return frame.render("tour.html.j2", "tour.html", sides=sides, facts=facts, days=_find_days(events))


def _find_days(events: Sequence[SiteEvent]) -> dict[str, str]:
    """Return the day on which each kind of decision came last."""
    return {event.what: event.at[:10] for event in reversed(events)}
