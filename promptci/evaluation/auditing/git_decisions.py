"""What git knows and the audit log records: releases and deployments."""

import re
from collections.abc import Iterator
from contextlib import closing

from promptci.audit.entry import Approval, AuditedChange, DeployedShare, EvidenceFile
from promptci.audit.log import NewEntry
from promptci.evaluation.auditing.decisions import FoundDecision, decision_key, is_digest, to_utc
from promptci.git.repo import Repo
from promptci.registry.release import Release, parse_moment
from promptci.registry.tag_message import one_line
from promptci.registry.tags import Releases
from promptci.rollout.deployment import Deployed, shorten_version
from promptci.rollout.deployments import environment_file
from promptci.rollout.deployments.decision_kind import name_decision, without_stopped_canary
from promptci.rollout.deployments.history import DeploymentChange, list_changes

_ACCOUNT = re.compile(r"(.+?) \(id (\d{1,15})\)")


def list_releases(releases: Releases) -> Iterator[FoundDecision]:
    """Yield the releases that promptci made."""
    for prompt, prompt_releases in releases.items():
        for release in prompt_releases:
            if release.fingerprint:
                yield _describe_release(prompt, release)


def _describe_release(prompt: str, release: Release) -> FoundDecision:
    trailers = release.trailers
    version = str(release.number)
    report = trailers.get("Report", "").removeprefix("sha256:")
    pull_request = trailers.get("Pull-request", "")
    replaced = release.replaces
    entry: NewEntry = {
        "what": "released",
        "prompt": prompt,
        "from": DeployedShare(version=str(replaced[0]), fingerprint=replaced[1] or None, share=0) if replaced else None,
        "to": DeployedShare(version=version, fingerprint=release.fingerprint, share=0),
        "why": one_line(trailers.get("Reason") or trailers.get("Bump") or ""),
        "verdict": one_line(trailers.get("Verdict", "")) or None,
        "approved": tuple(_parse_account(name) for name in _split_names(trailers.get("Approved-by", ""))),
        "change": AuditedChange(
            commit=release.commit,
            pull_request=int(pull_request) if pull_request.isdecimal() and len(pull_request) < 10 else None,
            proposed_by=trailers.get("Proposed-by") or None,
            author=one_line(release.tagged_by) or None,
            at=to_utc(release.at),
        ),
        "evidence": (EvidenceFile(name="report.json", sha256=report),) if is_digest(report) else (),
        "policy": trailers.get("Policy"),
    }
    return FoundDecision(
        key=decision_key("released", prompt=prompt, version=version, commit=release.commit),
        moment=parse_moment(release.at),
        description=f"released {prompt} {version}",
        entry=entry,
    )


def list_deployments(repo: Repo, commit: str, releases: Releases) -> Iterator[FoundDecision]:
    """Yield what each commit up to one changed of what runs."""
    with closing(repo.snapshot(commit)) as snapshot:
        environments = environment_file.list_environments(snapshot)
    for environment in environments:
        for change in reversed(list_changes(repo, environment, commit)):  # of one second: in their order
            yield _describe_deployment(change, releases)


def _describe_deployment(change: DeploymentChange, releases: Releases) -> FoundDecision:
    kind = name_decision(change.before, change.after)
    before = _share(change.before, releases)
    after = _share(without_stopped_canary(change.after) if kind == "rolled-back" else change.after, releases)
    version = after.version if after else ""
    entry: NewEntry = {
        "what": kind,
        "prompt": change.prompt,
        "environment": change.environment,
        "from": before,
        "to": after,
        "why": one_line(change.reason or change.subject),
        "change": AuditedChange(commit=change.commit, author=one_line(change.by) or None, at=to_utc(change.at)),
    }
    return FoundDecision(
        key=decision_key(
            kind, prompt=change.prompt, environment=change.environment, version=version, commit=change.commit
        ),
        moment=parse_moment(change.at),
        description=f"{kind} {change.prompt} {version or 'nothing'} in {change.environment}",
        entry=entry,
    )


def _share(deployed: Deployed | None, releases: Releases) -> DeployedShare | None:
    """Return the version that a deployment is about: the canary where there is one, else the stable one."""
    if deployed is None:
        return None
    written = deployed.canary if deployed.canary is not None else deployed.stable
    version = shorten_version(deployed.prompt, written)
    fingerprints = [r.fingerprint for r in releases.get(deployed.prompt, ()) if str(r.number) == version]
    share = deployed.share if deployed.canary is not None else 100.0
    return DeployedShare(version=one_line(version), fingerprint=next(iter(fingerprints), None) or None, share=share)


def _parse_account(text: str) -> Approval:
    """Parse `ann (id 98712)`, or a name alone."""
    match = _ACCOUNT.fullmatch(text)
    return Approval(login=match[1], id=int(match[2])) if match else Approval(login=text)


def _split_names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
