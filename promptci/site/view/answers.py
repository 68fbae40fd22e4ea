"""The five questions: what is in production, since when, who approved it, on what evidence, what it replaced."""

from collections.abc import Sequence

from promptci.lazy_dataclass import dataclass
from promptci.site.model import ReleasedVersion, RunningPair, SiteEvent, SitePrompt

DEPLOYING = frozenset({"deployed", "promoted", "rolled-back"})
MAIN = "production"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningAnswers:
    """What is known of the version that an environment runs."""

    pair: RunningPair
    since: str = ""
    deployed_by: str = ""
    why: str = ""
    commit: str = ""
    entry: int | None = None
    replaced: str = ""
    release: ReleasedVersion | None = None
    approved: tuple[str, ...] = ()


def find_main_pair(prompt: SitePrompt) -> RunningPair | None:
    """Return what production runs; of another environment where none has this name; None: nothing is deployed."""
    return next((pair for pair in prompt.running if pair.environment == MAIN), next(iter(prompt.running), None))


def answer(prompt: SitePrompt, pair: RunningPair) -> RunningAnswers:
    """Return the answers for one environment; what no record says is empty."""
    events = [event for event in prompt.events if event.environment == pair.environment and event.what in DEPLOYING]
    begun = _find_begin(events, pair.stable)
    release = next((version for version in prompt.versions if version.version == pair.stable), None)
    replaced = next(
        (event.before for event in events if event.after == pair.stable and event.before not in {"", pair.stable}), ""
    )
    approved = _find_approval(prompt, pair.stable) or (
        tuple(name.strip() for name in release.approved_by.split(",") if name.strip()) if release else ()
    )
    return RunningAnswers(
        pair=pair,
        since=begun.at if begun else "",
        deployed_by=begun.actor if begun else "",
        why=begun.why if begun else "",
        commit=begun.commit if begun else "",
        entry=begun.entry if begun else None,
        replaced=replaced or (release.replaces if release else ""),
        release=release,
        approved=approved,
    )


def _find_begin(events: Sequence[SiteEvent], version: str) -> SiteEvent | None:
    """Return the decision since which all requests get a version; the end of a canary beside it is none."""
    begun: SiteEvent | None = None
    for event in events:  # newest first
        if event.after != version:
            if begun is not None and event.share == 100:
                break
            continue
        if event.share == 100 and not (event.what == "rolled-back" and (event.before_share or 0) < 100):
            begun = event
    return begun


def _find_approval(prompt: SitePrompt, version: str) -> tuple[str, ...]:
    names = (event.approved for event in prompt.events if event.after == version and event.approved)
    return next(names, ())
