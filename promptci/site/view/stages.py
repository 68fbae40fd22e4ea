"""The pipeline: on which stage each version in motion is, and what came through the gate before it."""

from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Literal

from promptci.lazy_dataclass import dataclass
from promptci.site.model import RunningPair, SiteEvent, SitePrompt, SiteRecords
from promptci.site.view import answers
from promptci.site.view.nights import parse_nights

Stage = Literal["development", "evaluation", "canary", "production"]
Slug = Literal["good", "bad", "warn", "mute"]
CHECKING = frozenset({"checked", "blocked", "overridden"})
DRIFTING = frozenset({"drift", "judge-moved"})
MAX_PASSAGES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class StageCard:
    """One version of a prompt on a stage."""

    prompt: SitePrompt
    version: str
    note: str
    slug: Slug
    since: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class GatePassage:
    """One decision at a gate."""

    event: SiteEvent
    prompt: SitePrompt | None
    slug: Slug
    outcome: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StageGate:
    """The gate before a stage."""

    name: str
    question: str
    passages: tuple[GatePassage, ...] = ()
    """The last ones, newest first."""
    passed: int = 0
    stopped: int = 0
    empty: str = ""
    """What is said where nothing is recorded."""


@dataclass(kw_only=True, slots=True)
class Pipeline:
    """The front page."""

    stages: dict[Stage, list[StageCard]] = field(
        default_factory=lambda: {"development": [], "evaluation": [], "canary": [], "production": []}
    )
    gates: tuple[StageGate, ...] = ()
    held: int = 0
    drifting: int = 0
    alerting: int = 0


def build_pipeline(records: SiteRecords) -> Pipeline:
    """Return the stages and gates of all repositories."""
    pipeline = Pipeline()
    for prompt in records.prompts:
        for stage, card in find_cards(prompt):
            pipeline.stages[stage].append(card)
            pipeline.held += card.note.startswith("held") or (stage == "canary" and card.slug == "warn")
        pipeline.drifting += has_open_drift(prompt)
        pipeline.alerting += len(open_alerts(prompt))
    by_key = {(prompt.repository, prompt.name): prompt for prompt in records.prompts}
    passages = [
        (event, by_key.get((repository.name, event.prompt)))
        for repository in records.repositories
        for event in repository.events
    ]
    passages.sort(key=lambda passage: passage[0].at, reverse=True)
    pipeline.gates = (_check_gate(passages), _release_gate(passages), _canary_gate(passages))
    return pipeline


def find_cards(prompt: SitePrompt) -> Iterable[tuple[Stage, StageCard]]:
    """Yield where the versions of a prompt are; a prompt that was deleted and runs nowhere is on no stage."""
    running = {version for pair in prompt.running for version in (pair.stable, pair.canary)}
    newest = prompt.versions[0] if prompt.versions else None
    deployed = {event.after for event in prompt.events if event.what in answers.DEPLOYING}
    if prompt.path and newest is None:
        yield "development", StageCard(prompt=prompt, version="", note="never released", slug="mute")
    elif prompt.path and newest is not None and newest.fingerprint != prompt.fingerprint:
        note = f"merged after {newest.version}, not released"
        yield "evaluation", StageCard(prompt=prompt, version="unreleased", note=note, slug="mute")
    elif change := _find_open_change(prompt):
        yield "development", change
    if newest is not None and newest.version not in running | deployed:
        card = StageCard(prompt=prompt, version=newest.version, note="not deployed", slug="mute", since=newest.at)
        yield "evaluation", card
    for pair in prompt.running:
        if pair.canary and not pair.rolled_back:
            yield "canary", _canary_card(prompt, pair.canary, pair.share)
    main = answers.find_main_pair(prompt)
    if main is not None:
        yield "production", _production_card(prompt, main)


def _find_open_change(prompt: SitePrompt) -> StageCard | None:
    """Return the pull request that was checked last, where no release came after it."""
    last = next((event for event in prompt.events if event.what in CHECKING or event.what == "released"), None)
    if last is None or last.what == "released":
        return None
    slug, outcome = describe_check(last)
    name = f"pull request {last.pull_request}" if last.pull_request else "a change"
    return StageCard(prompt=prompt, version=name, note=outcome, slug=slug, since=last.at)


def _canary_card(prompt: SitePrompt, version: str, share: float) -> StageCard:
    last = next((event for event in prompt.events if event.after == version and event.environment), None)
    look = next((look for look in prompt.looks if look.canary.endswith(version)), None)
    if look is not None and look.outcome == "hold":
        return StageCard(prompt=prompt, version=version, note=f"held at {share:g}%", slug="warn", since=look.at)
    if (last is not None and last.what == "held") or share == 0:
        return StageCard(prompt=prompt, version=version, note=f"held at {share:g}%", slug="warn")
    return StageCard(
        prompt=prompt, version=version, note=f"{share:g}% of users", slug="mute", since=last.at if last else ""
    )


def _production_card(prompt: SitePrompt, pair: RunningPair) -> StageCard:
    known = answers.answer(prompt, pair)
    alerts = open_alerts(prompt)
    slug: Slug
    if has_open_drift(prompt):
        slug, note = "bad", "drift is open"
    elif alerts:
        slug, note = "bad", f"alert: {alerts[0]}"
    elif pair.rolled_back:
        slug, note = "warn", f"{pair.canary} was rolled back"
    elif known.release is None:
        slug, note = "warn", "not released by promptci"
    elif known.release.verdict.startswith("pass"):
        slug, note = "good", "released on evidence"
    else:
        slug, note = "warn", "released without a pass"
    return StageCard(prompt=prompt, version=pair.stable, note=note, slug=slug, since=known.since)


def has_open_drift(prompt: SitePrompt) -> bool:
    """Return whether the last night left a drift open."""
    nights, _ = parse_nights(prompt.night_lines[-1:])
    return bool(nights) and (nights[-1].since is not None or nights[-1].verdict in DRIFTING)


def open_alerts(prompt: SitePrompt) -> list[str]:
    """Return the rules whose alert is open."""
    last = {alert.rule: alert.what for alert in prompt.alerts}
    return [rule for rule, state in last.items() if state in {"opened", "updated"}]


def describe_check(event: SiteEvent) -> tuple[Slug, str]:
    """Return how a check of a pull request ended."""
    if event.what == "blocked":
        return "bad", "blocked"
    if event.what == "overridden":
        return "warn", "merged by an override"
    return ("good", "pass") if event.verdict.startswith(("pass", "no-change")) else ("warn", event.verdict or "checked")


def describe_release(event: SiteEvent) -> tuple[Slug, str]:
    """Return on what a version was released."""
    word = event.verdict.partition(" ")[0].strip(";,:()")
    if word in {"", "none"}:
        return "warn", "released without a result"
    return ("good" if word == "pass" else "warn"), f"released on {word}"


def describe_deployment(event: SiteEvent) -> tuple[Slug, str]:
    """Return what a decision in an environment was."""
    share = "" if event.share is None else f"{event.share:g}%"
    if not event.after:
        return "mute", "taken out"
    match event.what:
        case "rolled-back":
            return "bad", "rolled back"
        case "held":
            return "warn", f"held at {share}".strip()
        case "promoted":
            return "good", f"promoted to {share}".strip()
        case _ if event.share is not None and event.share < 100:
            return "mute", f"canary begun at {share}"
        case _:
            return "mute", "deployed to all"


Passages = Sequence[tuple[SiteEvent, SitePrompt | None]]


def _check_gate(passages: Passages) -> StageGate:
    checks = [(event, prompt, *describe_check(event)) for event, prompt in passages if event.what in CHECKING]
    empty = "No check of a pull request is in the audit log."
    return _gate("Pull request", "Is it no worse on the goldens?", checks, empty)


def _release_gate(passages: Passages) -> StageGate:
    releases = [(event, prompt, *describe_release(event)) for event, prompt in passages if event.what == "released"]
    return _gate("Release", "On which result, by whom?", releases, "Nothing was released with `promptci release` yet.")


def _canary_gate(passages: Passages) -> StageGate:
    deciding = {"promoted", "held", "rolled-back", "deployed"}
    deployments = [(event, prompt, *describe_deployment(event)) for event, prompt in passages if event.what in deciding]
    return _gate("Canary", "Does it hold with real users?", deployments, "Nothing was deployed yet.")


def _gate(
    name: str, question: str, rows: Sequence[tuple[SiteEvent, SitePrompt | None, Slug, str]], empty: str
) -> StageGate:
    shown = [
        GatePassage(event=event, prompt=prompt, slug=slug, outcome=outcome)
        for event, prompt, slug, outcome in rows[:MAX_PASSAGES]
    ]
    return StageGate(
        name=name,
        question=question,
        passages=tuple(shown),
        passed=sum(slug == "good" for _, _, slug, _ in rows),
        stopped=sum(slug == "bad" for _, _, slug, _ in rows),
        empty=empty,
    )
