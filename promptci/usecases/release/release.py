"""Release prompts: an annotated git tag for each new version that passed, or that somebody answers for."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from promptci.audit.anchors import TRAILER
from promptci.audit.head import find_audit_head
from promptci.config.find import find_config, load_revision_config
from promptci.documents.document import Document
from promptci.errors import GitError, InputError, UsageError
from promptci.gates.people.approval_rule import list_risk_classes
from promptci.git import new_commit
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.memory.store import Memory
from promptci.prompts.model import Prompt
from promptci.registry import released_prompt, tags
from promptci.registry.bump import compare_prompts
from promptci.registry.evidence import Evidence, describe_evidence, describe_gap, describe_share, read_report
from promptci.registry.number import FIRST, Bump, ReleaseNumber
from promptci.registry.release import tag_name
from promptci.registry.released_prompt import VersionReader, describe_unknown_prompt, load_prompts_by_name
from promptci.registry.tag_message import TagMessage
from promptci.wording import short_sha

DEFAULT_REPORT = Path("promptci-report/report.json")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseRequest:
    """What is to be released."""

    root: Path
    config_path: str
    today: date
    names: tuple[str, ...] = ()
    changed: bool = False
    """Every prompt whose content was not released yet."""
    revision: str = "HEAD"
    bump: Bump | None = None
    because: str = ""
    report: Path | None = None
    """None: promptci-report/report.json, and the memory of earlier checks."""
    pull_request: str = ""
    proposed_by: str = ""
    approved_by: tuple[str, ...] = ()
    push: bool = False
    remote: str = "origin"
    dry_run: bool = False


class ReleasedPrompt(BaseModel):
    """What became of one prompt."""

    prompt: str
    outcome: Literal["released", "already released", "refused"]
    version: str | None
    tag: str | None
    fingerprint: str
    replaces: str | None = None
    bump: str | None = None
    evidence: str | None = None
    why: str = ""


class ReleaseSummary(Document):
    """What was released."""

    schema_: Literal["promptci/release/v1"] = Field(default="promptci/release/v1", alias="schema")
    commit: str
    dry_run: bool
    pushed: bool
    prompts: list[ReleasedPrompt]
    warnings: list[str] = Field(default=[])

    @property
    def exit_code(self) -> int:
        """1 where a prompt was refused."""
        return int(any(prompt.outcome == "refused" for prompt in self.prompts))


def release(request: ReleaseRequest) -> ReleaseSummary:
    """Release prompts of a commit: all of them, or none where one is refused.

    Raises
    ------
    UsageError
        For a name that is no prompt.
    InputError
        For prompt files that cannot be read, or a report that is none.
    GitError
        Where git does not make or push a tag.
    """
    if bool(request.names) == request.changed:
        raise UsageError("It is not clear what to release", "Name a prompt, or pass --changed.")
    repo = Repo.discover(request.root)
    commit = repo.resolve(request.revision)
    if request.push:
        tags.fetch_tags(repo.root, request.remote)
    process = _Process(repo, commit, request)
    planned = [process.plan(name) for name in process.names()]
    warnings = [process.audit.warning] if process.audit.warning else []
    if request.revision == "HEAD":
        warnings += released_prompt.describe_uncommitted(repo, request.config_path, request.names)
    refused = any(prompt.outcome == "refused" for prompt in planned)
    if not refused and not request.dry_run:
        planned = [
            process.make(prompt) if prompt.outcome == "released" else _push_kept(repo.root, request, prompt)
            for prompt in planned
        ]
    return ReleaseSummary(
        commit=commit,
        dry_run=request.dry_run,
        pushed=request.push and not refused and not request.dry_run,
        prompts=planned,
        warnings=warnings,
    )


def summary_lines(summary: ReleaseSummary) -> Iterator[str]:
    """Yield what a person reads."""
    refused = summary.exit_code != 0
    for prompt in summary.prompts:
        if prompt.outcome == "released":
            verb = "not released, because another was refused" if refused else "would be released"
            outcome = f"{verb}: {prompt.version}" if refused or summary.dry_run else f"released as {prompt.version}"
            yield f"{prompt.prompt}: {outcome} ({prompt.bump or 'first release'})"
            yield f"  evidence: {prompt.evidence}"
            if not (refused or summary.dry_run):
                push_state = "pushed" if summary.pushed else f"push it: git push origin {prompt.tag}"
                yield f"  tag {prompt.tag}; {push_state}"
        else:
            version = f" as {prompt.version}" if prompt.version else ""
            yield f"{prompt.prompt}: {prompt.outcome}{version}{prompt.why and ': '}{prompt.why}"
    if not summary.prompts:
        yield f"Nothing to release: every prompt of {short_sha(summary.commit)} is released as it is"
    yield from (f"warning: {text}" for text in summary.warnings)


class _Process:
    """The release of the prompts of one commit."""

    def __init__(self, repo: Repo, commit: str, request: ReleaseRequest) -> None:
        self._repo, self._commit, self._request = repo, commit, request
        with closing(repo.snapshot(commit)) as snapshot:
            self._prompts, problems = load_prompts_by_name(snapshot, request.config_path)
            config = find_config(snapshot, request.config_path)
            self._policy = sha256(b"" if config is None else snapshot.read(config) or b"").hexdigest()
            self._config = load_revision_config(snapshot, request.config_path)
        if problems and (request.changed or not set(request.names) <= self._prompts.keys()):
            raise InputError(problems)
        if not self._prompts:
            raise UsageError(f"No prompt is found in {short_sha(commit)}", "See `prompts.include` in promptci.yml.")
        self._releases = tags.list_releases(repo.root)
        if not self._releases and not request.push:
            tags.require_whole_clone(repo.root)
        self.audit = find_audit_head(repo.root, request.remote, fetch=request.push)
        self._evidence = _read_evidence(request, repo.root, self._config.run.memory)

    def names(self) -> list[str]:
        """Return the prompts in question."""
        if self._request.changed:
            return [
                name
                for name, prompt in self._prompts.items()
                if tags.find_same(self._releases, name, prompt.fingerprint) is None
            ]
        unknown = [name for name in self._request.names if name not in self._prompts]
        if unknown:
            raise UsageError(*describe_unknown_prompt(unknown[0], self._prompts, short_sha(self._commit)))
        return list(dict.fromkeys(self._request.names))

    def plan(self, name: str) -> ReleasedPrompt:
        """Return what is to become of a prompt."""
        prompt = self._prompts[name]
        same = tags.find_same(self._releases, name, prompt.fingerprint)
        base = ReleasedPrompt(prompt=name, outcome="released", version=None, tag=None, fingerprint=prompt.fingerprint)
        if same is not None and self._request.bump is None:
            update = {"outcome": "already released", "version": str(same.number), "tag": same.tag}
            return base.model_copy(update=update)
        if problem := tags.find_name_problem(self._repo.root, name):
            return base.model_copy(update={"outcome": "refused", "why": problem})
        evidence = self._evidence.get(prompt.fingerprint)
        if not (evidence and evidence.passes) and not self._request.because.strip():
            result = f"its last result is `{evidence.name}`" if evidence else "no result of this version is found"
            fix = f"Run `promptci run`, which writes {DEFAULT_REPORT}, and release again; or pass --report FILE"
            cause = f"{result}. {fix} of another run, or --because with a reason that stays in the tag"
            return base.model_copy(update={"outcome": "refused", "why": cause})
        number, bump, reason = self._number(name, prompt)
        latest = tags.find_latest(self._releases, name)
        return base.model_copy(
            update={
                "version": str(number),
                "tag": tag_name(name, number),
                "replaces": str(latest.number) if latest else None,
                "bump": bump and f"{bump}: {reason}",
                "evidence": describe_evidence(evidence, self._request.because),
            }
        )

    def _number(self, name: str, prompt: Prompt) -> tuple[ReleaseNumber, Bump | None, str]:
        known = self._releases.get(name)
        if not known:
            return FIRST, None, ""
        latest = tags.find_latest(self._releases, name)
        if latest is None:  # only tags that somebody made by hand
            return known[-1].number.next(self._request.bump or "major"), None, ""
        reader = VersionReader(self._repo, self._releases, self._request.config_path)
        comparison = compare_prompts(reader.find(name, str(latest.number)).prompt, prompt)
        bump = self._request.bump or comparison.bump
        return known[-1].number.next(bump), bump, comparison.reason

    def make(self, planned: ReleasedPrompt) -> ReleasedPrompt:
        """Make the tag, and push it; the next number where somebody else was faster with this one."""
        for _ in new_commit.attempts():
            try:
                tag = self._create(planned)
                if not self._request.push:
                    return planned
                taken = self._push(tag)
            except GitError as error:
                if "already exists" not in error.message:
                    raise
                taken = error.message
            if taken is None:
                return planned
            if self._request.push:
                tags.fetch_tags(self._repo.root, self._request.remote)
            self._releases = tags.list_releases(self._repo.root)
            planned = self.plan(planned.prompt)
            if planned.outcome != "released":
                return planned
        raise GitError(f"{planned.tag} could not be made: others release at the same time", "Try again.")

    def _push(self, tag: str) -> str | None:
        try:
            taken = tags.push_tag(self._repo.root, self._request.remote, tag)
        except GitError:
            tags.delete_tag(self._repo.root, tag)
            raise
        if taken is not None:
            tags.delete_tag(self._repo.root, tag)
        return taken

    def _create(self, planned: ReleasedPrompt) -> str:
        name = planned.prompt
        replaced = tags.find_latest(self._releases, name)
        trailers = {
            "Fingerprint": planned.fingerprint,
            "Replaces": f"{replaced.number} {replaced.fingerprint}" if replaced else "",
            "Bump": planned.bump or "first release",
            "Risk": list_risk_classes(self._config.approvals, self._prompts[name].path),
            **_describe_origin(self._evidence.get(planned.fingerprint), self._request),
            "Policy": f"sha256:{self._policy}",
            TRAILER: self.audit.trailer,
        }
        subject = f"{name} {planned.version}: {self._request.because or planned.bump or 'first release'}"
        message = TagMessage(subject=subject, trailers=trailers)
        return tags.create_tag(self._repo.root, name, ReleaseNumber.parse(planned.version or ""), self._commit, message)


def _read_evidence(request: ReleaseRequest, root: Path, memory: str | None) -> dict[str, Evidence]:
    """Return results by fingerprint: of earlier checks, and of the report, which counts where both have one."""
    path = request.report or root / DEFAULT_REPORT
    evidence: dict[str, Evidence] = {}
    if memory:
        for verdict in Memory(root / memory, today=request.today).read().verdicts:
            if fingerprint := verdict.fingerprints[1]:
                source, gap = f"the check of {verdict.at[:10]}", describe_gap(verdict.missing)
                result = describe_share(verdict.quality and verdict.quality[1], verdict.pairs, verdict.measure)
                evidence[fingerprint] = Evidence(verdict=verdict.verdict, source=source, result=result, gap=gap)
    return evidence | (read_report(path) if request.report or path.exists() else {})


def _describe_origin(evidence: Evidence | None, request: ReleaseRequest) -> dict[str, str]:
    """Return the trailers that say on which result, from whom and why a version was released."""
    result = f"; {evidence.result}" if evidence and evidence.result else ""
    return {
        "Verdict": f"{evidence.name}{result}" if evidence else "none",
        "Report": f"sha256:{evidence.digest}" if evidence and evidence.digest else "",
        "Pull-request": request.pull_request,
        "Proposed-by": request.proposed_by,
        "Approved-by": ", ".join(request.approved_by),
        "Reason": request.because,
    }


def _push_kept(root: Path, request: ReleaseRequest, planned: ReleasedPrompt) -> ReleasedPrompt:
    """Push the tag of an earlier release where only this clone has it."""
    if planned.tag and request.push and tags.push_missing_tag(root, request.remote, planned.tag):
        return planned.model_copy(update={"why": "its tag was only here, and is pushed now"})
    return planned
