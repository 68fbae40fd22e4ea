"""Releases and deployments as events, from the audit log, and from git where the log does not have them."""

from collections.abc import Iterable, Sequence
from datetime import UTC

from promptci.git.repo import Repo
from promptci.registry.release import Release, parse_moment
from promptci.registry.tag_message import one_line
from promptci.registry.tags import Releases
from promptci.rollout.deployment import Deployed, shorten_version
from promptci.rollout.deployments.decision_kind import name_decision, without_stopped_canary
from promptci.rollout.deployments.history import DeploymentChange, list_changes
from promptci.site.collect.history_lines import Clean
from promptci.site.model import ReleasedVersion, RunningPair, SiteEvent

DEPLOYING = frozenset({"deployed", "promoted", "rolled-back"})


def describe_version(release: Release, clean: Clean) -> ReleasedVersion:
    """Return what a tag says of its release."""
    trailers = {key: clean(value) for key, value in release.trailers.items()}
    return ReleasedVersion(
        version=str(release.number),
        commit=release.commit,
        at=to_utc(release.at),
        by=clean(release.tagged_by).partition(" <")[0],
        fingerprint=release.fingerprint,
        replaces=str(release.replaces[0]) if release.replaces else "",
        bump=trailers.get("Bump", ""),
        verdict=trailers.get("Verdict", ""),
        reason=trailers.get("Reason", ""),
        pull_request=trailers.get("Pull-request", ""),
        proposed_by=trailers.get("Proposed-by", ""),
        approved_by=trailers.get("Approved-by", ""),
        report=trailers.get("Report", "").removeprefix("sha256:"),
        signed=release.signed,
    )


def to_utc(written: str) -> str:
    """Return a time of git in UTC; empty where there is none."""
    moment = parse_moment(written)
    return "" if moment.year < 1970 else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def find_unlogged_releases(releases: Releases, logged: Iterable[SiteEvent], clean: Clean) -> list[SiteEvent]:
    """Return the releases that the audit log does not have."""
    known = {(event.prompt, event.after) for event in logged if event.what == "released"}
    return [
        _release_event(prompt, describe_version(release, clean))
        for prompt, listed in releases.items()
        for release in listed
        if (prompt, str(release.number)) not in known
    ]


def _release_event(prompt: str, version: ReleasedVersion) -> SiteEvent:
    return SiteEvent(
        at=version.at,
        what="released",
        prompt=prompt,
        before=version.replaces,
        after=version.version,
        share=0,
        actor=version.by,
        proposed_by=version.proposed_by,
        approved=tuple(name.strip() for name in version.approved_by.split(",") if name.strip()),
        why=version.reason or version.bump,
        verdict=version.verdict,
        pull_request=int(version.pull_request) if version.pull_request.isdecimal() else None,
        commit=version.commit,
    )


def find_unlogged_deployments(
    repo: Repo, commit: str, running: dict[str, tuple[RunningPair, ...]], logged: Sequence[SiteEvent], clean: Clean
) -> list[SiteEvent]:
    """Return the deployments that the log does not have; git is read only where the log lacks what runs now."""
    known = {(event.prompt, event.environment, event.commit) for event in logged if event.what in DEPLOYING}
    named = {(event.prompt, event.environment, event.after) for event in logged if event.what in DEPLOYING}
    lacking = {
        pair.environment
        for prompt, pairs in running.items()
        for pair in pairs
        for version in (pair.stable, pair.canary)
        if version and (prompt, pair.environment, version) not in named
    }
    return [
        _deployment_event(change, clean)
        for environment in sorted(lacking)
        for change in list_changes(repo, environment, commit)
        if (change.prompt, environment, change.commit) not in known
    ]


def _deployment_event(change: DeploymentChange, clean: Clean) -> SiteEvent:
    kind = name_decision(change.before, change.after)
    remaining = without_stopped_canary(change.after) if kind == "rolled-back" else change.after
    before, after = (_describe(deployed) for deployed in (change.before, remaining))
    return SiteEvent(
        at=to_utc(change.at),
        what=kind,
        prompt=change.prompt,
        environment=change.environment,
        before=before[0],
        before_share=before[1] if change.before else None,
        after=after[0],
        share=after[1] if change.after else None,
        actor=clean(change.by).partition(" <")[0],
        why=clean(one_line(change.reason or change.subject)),
        commit=change.commit,
    )


def _describe(deployed: Deployed | None) -> tuple[str, float]:
    if deployed is None:
        return "", 0.0
    if deployed.canary is None:
        return shorten_version(deployed.prompt, deployed.stable), 100.0
    return shorten_version(deployed.prompt, deployed.canary), deployed.share
