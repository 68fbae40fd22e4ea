"""Verify the audit log, offline: its chain, its anchors, the released content that it names, and evidence files."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import field
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from promptci import wording
from promptci.audit import anchors, attestations, log, signatures, written_line
from promptci.audit.attestations import AttestationOptions
from promptci.audit.chain import AuditLine, FaultKind, verify_chain
from promptci.documents.document import Document
from promptci.git.data_branch import find_branch
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.registry import tags
from promptci.registry.released_prompt import VersionReader
from promptci.wording import short_digest

RUNNING = ("released", "deployed", "promoted", "rolled-back")
"""Decisions that name a version which a tag must still hold."""
MAX_EVIDENCE_BYTES = 256 * 2**20
MAX_PROBLEMS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditVerifyRequest:
    """Which log is to be verified, and with what."""

    root: Path
    config_path: str
    revision: str | None = None
    """Whose deployment commits hold anchors; None: the default branch."""
    remote: str = "origin"
    evidence: Path | None = None
    """Folder with reports and other files whose digests the log has."""
    signers: Path | None = None
    """For `gpg.ssh.allowedSignersFile`; None: what git is configured with."""
    attestations: AttestationOptions = field(default_factory=AttestationOptions)
    with_attestations: bool = True


class AuditFault(BaseModel):
    """The first entry that is not as it was written."""

    kind: FaultKind
    n: int
    place: str
    message: str


class AuditVerification(Document):
    """Result of a verification."""

    schema_: Literal["promptci/audit-verification/v1"] = Field(default="promptci/audit-verification/v1", alias="schema")
    entries: int
    head: str | None = Field(description="Number and digest of the last entry.")
    anchors: int = Field(description="Tags and commits that name an entry as it is.")
    last_anchored: int = Field(description="Entries after it could be missing without a trace.")
    fault: AuditFault | None
    versions_checked: int = Field(description="Entries whose released content was computed again.")
    evidence_checked: int = Field(description="Entries' files that were at hand.")
    evidence_named: int
    signatures: dict[str, int] = Field(
        description="Tags and commits that name an entry, by the state of their signature: `good`, `bad`, `unsigned`,"
        " `not checkable`."
    )
    attestations: str = Field(description="What `gh attestation verify` found; `not made` where there is none.")
    problems: list[str]

    @property
    def exit_code(self) -> int:
        """1 where anything does not fit."""
        return int(self.fault is not None or bool(self.problems))


def verify(request: AuditVerifyRequest) -> AuditVerification:
    """Verify the log that this clone has.

    Raises
    ------
    UsageError
        Where there is no log: nothing found is not the same as nothing wrong.
    """
    repo = Repo.discover(request.root)
    lines = log.require_lines(find_branch(repo.root, request.remote))
    revision = request.revision or repo.default_branch()
    anchoring = anchors.list_anchors(repo.root, revision)
    chain = verify_chain(lines, anchoring)
    problems: list[str] = []
    facts = _collect_facts(lines[: chain.head.n if chain.head else 0], problems)  # up to the first fault
    versions_checked = _check_versions(repo, request.config_path, facts, problems)
    evidence_checked = _check_evidence(request.evidence, facts, problems)
    checked = signatures.check_signatures(repo.root, anchoring, request.signers)
    problems += [f"The signature of {each.source} is bad: {each.detail}" for each in checked if each.state == "bad"]
    attested = attestations.check_attestations(
        request.evidence if request.with_attestations else None, request.attestations
    )
    problems += attested.problems
    fault = chain.fault
    return AuditVerification(
        entries=chain.entries,
        head=str(chain.head) if chain.head else None,
        anchors=chain.anchors,
        last_anchored=chain.last_anchored,
        fault=AuditFault(kind=fault.kind, n=fault.n, place=fault.place, message=fault.message) if fault else None,
        versions_checked=versions_checked,
        evidence_checked=evidence_checked,
        evidence_named=sum(len(files) for _, files in facts.evidence),
        signatures=dict(sorted(Counter(each.state for each in checked).items())),
        attestations=attested.summary,
        problems=problems[:MAX_PROBLEMS],
    )


def verification_lines(result: AuditVerification) -> Iterator[str]:
    """Yield what a person reads."""
    if result.fault:
        yield f"Entry {result.fault.n} was {result.fault.kind}: {result.fault.message} ({result.fault.place})."
        yield "What follows it cannot be verified. Compare with another clone to see what the log was."
    else:
        entries = wording.count(result.entries, "entry", "entries")
        yield f"The chain of {entries} is whole; its head is {result.head}."
    yield from result.problems
    if not result.anchors:
        yield "No tag or deployment commit names an entry, so that a log cut at its end would not be noticed."
    else:
        places = wording.count(result.anchors, "tag or commit", "tags and commits")
        verb = "names" if result.anchors == 1 else "name"
        yield f"{places} {verb} an entry as it is, the last one entry {result.last_anchored}."
        if after := result.entries - result.last_anchored:
            yield f"{wording.count(after, 'entry', 'entries')} after it: whether more followed cannot be shown."
    tags = "its tag holds" if result.versions_checked == 1 else "their tags hold"
    yield f"{wording.count(result.versions_checked, 'version')} compared with what {tags}."
    if result.evidence_named:
        yield f"{result.evidence_checked} of {result.evidence_named} evidence files were at hand and compared."
    if result.signatures:
        states = ", ".join(f"{number} {state}" for state, number in result.signatures.items())
        yield f"Signatures of those tags and commits: {states}. Only `good` is evidence of who made one."
    yield f"Attestations: {result.attestations}."
    yield "Approvals are what GitHub's API reported at that time."


@dataclass(frozen=True, kw_only=True, slots=True)
class _LogFacts:
    """What the entries name that can be compared; the entries of a long log are not kept."""

    versions: dict[tuple[str, str, str], int]
    """Prompt, version and fingerprint to the first entry that names them."""
    evidence: list[tuple[int, list[tuple[str, str]]]]
    """Entry, and name and SHA-256 of each of its files."""


def _collect_facts(lines: Iterable[AuditLine], problems: list[str]) -> _LogFacts:
    facts = _LogFacts(versions={}, evidence=[])
    for position, entry in enumerate(written_line.iterate_facts(lines, problems), start=1):
        if entry.n != position and not problems:
            problems.append(f"Entry {position} has a second number, {entry.n}: it was not written by promptci.")
        if entry.what in RUNNING and entry.prompt and entry.version and entry.fingerprint:
            facts.versions.setdefault((entry.prompt, entry.version, entry.fingerprint), entry.n)
        facts.evidence.append((entry.n, entry.evidence))
    return facts


def _check_versions(repo: Repo, config_path: str, facts: _LogFacts, problems: list[str]) -> int:
    reader = VersionReader(repo, tags.list_releases(repo.root), config_path)
    for (prompt, version, fingerprint), n in facts.versions.items():
        if problem := _describe_version(reader, prompt, version, fingerprint):
            problems.append(f"Entry {n}, {prompt} {version}: {problem}")
    return len(facts.versions)


def _describe_version(reader: VersionReader, prompt: str, version: str, fingerprint: str) -> str | None:
    """Return in what way a version is not what the log says, or None."""
    release = reader.find_release(prompt, version)
    if release is None:
        return "no tag of this release is here"
    if release.fingerprint != fingerprint:
        return f"the tag says fingerprint {short_digest(release.fingerprint)}, the log {short_digest(fingerprint)}"
    return reader.describe_mismatch(release)


def _check_evidence(folder: Path | None, facts: _LogFacts, problems: list[str]) -> int:
    """Compare the files in a folder with their digests; return how many were there."""
    if folder is None:
        return 0
    paths = list(folder.rglob("*"))
    digests = {_digest(path) for path in paths if path.is_file() and not path.is_symlink()}
    names = {path.name for path in paths}
    checked = 0
    for n, (name, digest) in ((n, file) for n, files in facts.evidence for file in files):
        if digest in digests:
            checked += 1
        elif name in names:
            problems.append(f"Entry {n}: {name} in {folder} is not the file that the log names.")
    return checked


def _digest(path: Path) -> str:
    if path.stat().st_size > MAX_EVIDENCE_BYTES:
        return ""
    return sha256(path.read_bytes()).hexdigest()
