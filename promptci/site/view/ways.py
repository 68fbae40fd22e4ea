"""The way of a version through the pipeline, and the marks on the charts."""

from collections.abc import Sequence
from typing import Literal

from promptci.drift.night import NightLine
from promptci.lazy_dataclass import dataclass
from promptci.site.model import ReleasedVersion, SiteEvent, SitePrompt
from promptci.site.view import stages
from promptci.site.view.stages import Slug

MarkKind = Literal["release", "rollback", "drift"]


@dataclass(frozen=True, kw_only=True, slots=True)
class WayStep:
    """One step."""

    slug: Slug
    word: str
    event: SiteEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionWay:
    """One version and what happened to it."""

    version: ReleasedVersion
    steps: tuple[WayStep, ...]
    """Oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChartMark:
    """Something that happened, on a chart."""

    day: str
    kind: MarkKind
    words: str


def find_ways(prompt: SitePrompt) -> list[VersionWay]:
    """Return the way of each version, newest first."""
    return [VersionWay(version=version, steps=_find_steps(prompt, version.version)) for version in prompt.versions]


def _find_steps(prompt: SitePrompt, version: str) -> tuple[WayStep, ...]:
    steps = []
    for event in reversed(prompt.events):
        if event.after == version and event.what == "released":
            slug, word = stages.describe_release(event)
        elif event.after == version and event.what in stages.CHECKING:
            slug, word = stages.describe_check(event)
        elif event.what == "rolled-back" and version in {event.before, event.after}:
            ended = event.before == version or event.share == 0
            slug, word = ("bad", "rolled back") if ended else ("mute", f"again for all, after {event.before}")
        elif event.after == version and event.environment:
            slug, word = stages.describe_deployment(event)
        elif event.before == version and event.after and event.share == 100:
            slug, word = "mute", f"replaced by {event.after}"
        else:
            continue
        steps.append(WayStep(slug=slug, word=word, event=event))
    return tuple(steps)


def find_marks(prompt: SitePrompt, nights: Sequence[NightLine]) -> list[ChartMark]:
    """Return releases, rollbacks and the first nights of drifts."""
    marks = []
    for event in prompt.events:
        if event.what == "released":
            marks.append(ChartMark(day=event.at[:10], kind="release", words=f"{event.after} released"))
        elif event.what == "rolled-back":
            version = event.before if event.share == 100 else event.after
            marks.append(ChartMark(day=event.at[:10], kind="rollback", words=f"{version} rolled back"))
        elif event.what == "drift-opened":
            marks.append(ChartMark(day=event.at[:10], kind="drift", words="drift found"))
    logged = {mark.day for mark in marks if mark.kind == "drift"}
    opened = {night.since for night in nights if night.since and night.verdict == "drift"} - logged
    if not logged:
        marks += [ChartMark(day=day, kind="drift", words="drift found") for day in sorted(opened)]
    return sorted((mark for mark in marks if mark.day), key=lambda mark: mark.day)
