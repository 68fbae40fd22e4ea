"""Collect what the site shows of one repository."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from promptci.errors import PromptciError
from promptci.git import command
from promptci.git.data_branch import find_branch
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.monitor.summary import MonitoredPrompt
from promptci.registry import tags
from promptci.site.collect import deployments, head_prompts, history_lines
from promptci.site.collect.head_prompts import HeadFiles
from promptci.site.collect.history_lines import Clean, HistoryLines
from promptci.site.model import (
    AlertChange,
    JudgeAgreement,
    ReleasedVersion,
    SiteCanaryLook,
    SiteEvent,
    SitePrompt,
    SiteRepository,
)

_GITHUB = re.compile(r"(?:https://|git@|ssh://git@)github\.com[:/]([A-Za-z0-9._-]+/[A-Za-z0-9._-]+?)(?:\.git)?/?")


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenRecords:
    """Records that are files and not in the repository, by prompt."""

    monitored: Mapping[str, MonitoredPrompt] = field(default_factory=dict)
    looks: Sequence[SiteCanaryLook] = ()
    judges: Mapping[str, JudgeAgreement] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositorySource:
    """Where a repository is, and how it is read."""

    root: Path
    name: str
    """Shown on the pages, where there are several."""
    remote: str = "origin"
    config_path: str = "promptci.yml"
    revision: str | None = None
    """None: the default branch."""


def collect_repository(source: RepositorySource, records: GivenRecords, clean: Clean) -> SiteRepository:
    """Return everything that the site shows of a repository.

    Raises
    ------
    GitError, ConfigError
        If the folder is no repository, or its promptci.yml is wrong.
    """
    repo = Repo.discover(source.root)
    head = head_prompts.read_head(repo, source.revision or repo.default_branch(), source.config_path)
    releases = tags.list_releases(repo.root)
    versions = {
        prompt: [deployments.describe_version(release, clean) for release in listed[::-1]]
        for prompt, listed in releases.items()
    }
    branch = find_branch(repo.root, source.remote)
    files = branch.files()
    lines = history_lines.read_history(files, clean)
    logged = [row.event for row in lines.audit if row.event is not None]
    problems = [*head.problems, *lines.problems]
    unlogged = deployments.find_unlogged_releases(releases, logged, clean)
    try:
        unlogged += deployments.find_unlogged_deployments(repo, head.commit, head.running, logged, clean)
    except PromptciError as error:
        problems.append(" ".join(str(error).split()))
    events = tuple(sorted([*logged, *unlogged], key=lambda event: (event.at, event.entry or 0), reverse=True))
    return SiteRepository(
        name=source.name,
        address=find_address(repo.root, source.remote),
        commit=head.commit,
        prompts=_add_events(_join_prompts(source.name, head, versions, lines, records=records, clean=clean), events),
        events=events,
        audit=tuple(lines.audit),
        has_history=files.commit is not None,
        history_hint=branch.missing_hint,
        newest_record=lines.newest,
        problems=tuple(clean(problem) for problem in problems),
    )


def find_address(root: Path, remote: str) -> str:
    """Return the web address of a repository on GitHub; empty for another remote."""
    done = command.try_git(root, "remote", "get-url", remote)
    match = _GITHUB.fullmatch(done.stdout.decode(errors="replace").strip())
    return f"https://github.com/{match[1]}" if match and not done.returncode else ""


def _join_prompts(
    repository: str,
    head: HeadFiles,
    releases: Mapping[str, Sequence[ReleasedVersion]],
    lines: HistoryLines,
    *,
    records: GivenRecords,
    clean: Clean,
) -> tuple[SitePrompt, ...]:
    """Return every prompt that any record names; its decisions are added later."""
    alerts: dict[str, list[AlertChange]] = defaultdict(list)
    for alert in lines.alerts:
        alerts[alert.prompt].append(alert)
    names = {*head.prompts, *head.running, *releases, *lines.nights, *records.monitored, *alerts} - {""}
    names |= {row.event.prompt for row in lines.audit if row.event and row.event.prompt}
    prompts = []
    for name in sorted(names):
        file = head.prompts.get(name)
        goldens = file.goldens if file else None
        prompts.append(
            SitePrompt(
                repository=repository,
                name=clean(name),
                path=clean(file.prompt.path) if file else "",
                model=clean(file.prompt.model) if file else "",
                fingerprint=file.prompt.fingerprint if file else "",
                goldens=goldens if isinstance(goldens, int) else None,
                goldens_problem=clean(goldens) if isinstance(goldens, str) else "",
                labels=file.labels if file else None,
                judge=records.judges.get(name),
                versions=tuple(releases.get(name, ())),
                running=head.running.get(name, ()),
                night_lines=tuple(lines.nights.get(name, ())),
                monitored=records.monitored.get(name),
                alerts=tuple(alerts.get(name, ())),
                looks=tuple(look for look in records.looks if look.prompt == name),
                reference=file.reference if file else None,
            )
        )
    return tuple(prompts)


def _add_events(prompts: Sequence[SitePrompt], events: Sequence[SiteEvent]) -> tuple[SitePrompt, ...]:
    by_prompt: dict[str, list[SiteEvent]] = defaultdict(list)
    for event in events:
        by_prompt[event.prompt].append(event)
    return tuple(replace(prompt, events=tuple(by_prompt.get(prompt.name, ()))) for prompt in prompts)
