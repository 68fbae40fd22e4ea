"""`VersionStory`: every entry of the log about one version of a prompt, in the order in which things happened."""

from collections.abc import Iterable, Iterator
from dataclasses import field

from promptci.audit.entry import AuditEntry, DeployedShare
from promptci.evaluation.auditing.decisions import RUNNING
from promptci.lazy_dataclass import dataclass
from promptci.registry.number import ReleaseNumber


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedEntry:
    """An entry and the digest of its line."""

    entry: AuditEntry
    digest: str

    @property
    def at(self) -> str:
        """When it happened; when it was recorded where that is not known."""
        change = self.entry.change
        return (change.at if change else None) or self.entry.at


@dataclass(kw_only=True, slots=True)
class VersionStory:
    """What happened to one version."""

    prompt: str
    version: str
    """`v1.3.0`; of a version that was never released, the commit that was checked."""
    fingerprint: str | None = None
    logged: list[LoggedEntry] = field(default_factory=list)

    def select(self, *kinds: str) -> list[LoggedEntry]:
        """Return the entries of some kinds."""
        return [each for each in self.logged if each.entry.what in kinds]

    @property
    def released(self) -> AuditEntry | None:
        """The entry of its release."""
        return next((each.entry for each in self.select("released")), None)

    @property
    def before(self) -> DeployedShare | None:
        """The version that it replaced: the release before it, else the base of its check."""
        named = [each.entry.from_ for each in (*self.select("released"), *self.select("checked", "blocked"))]
        return next((side for side in named if side is not None), None)

    @property
    def rollbacks(self) -> list[LoggedEntry]:
        """Entries by which it was taken out of use."""
        return [each for each in self.select("rolled-back") if not self.is_target(each.entry)]

    @property
    def outcome(self) -> str:
        """What became of it, in a few words."""
        if self.rollbacks:
            return "rolled back"
        running = [each.entry for each in self.select("deployed", "promoted", "rolled-back")]
        if running and running[-1].takes_out:
            return "released, no longer deployed"
        if running and running[-1].to:
            share = running[-1].to.share
            return "in production" if share == 100 else f"released, last deployed at {share:g}%"
        if self.released:
            return "released, never deployed"
        if self.select("overridden"):
            return "blocked, overridden"
        return "blocked" if self.select("blocked") else "checked, never released"

    def is_target(self, entry: AuditEntry) -> bool:
        """Return whether an entry put this version into use, or is about it alone."""
        return entry.to is not None and entry.to.version == self.version


def build_stories(logged: Iterable[LoggedEntry]) -> tuple[list[VersionStory], list[LoggedEntry]]:
    """Return the story of each version, and the entries that are about no single one."""
    ordered = list(logged)
    book = _Book()
    for each in ordered:
        if each.entry.what == "released":
            book.open_release(each.entry)
    other = []
    for each in ordered:
        stories = list(book.find(each.entry))
        for story in stories:
            story.logged.append(each)
        if not stories:
            other.append(each)
    for story in book.stories:
        story.logged.sort(key=lambda each: (each.at, each.entry.n))
    return [story for story in book.stories if story.logged], other


class _Book:
    """The stories that are known so far."""

    def __init__(self) -> None:
        self.stories: list[VersionStory] = []
        self._by_version: dict[tuple[str, str], VersionStory] = {}
        self._by_content: dict[tuple[str, str], VersionStory] = {}
        self._running: dict[str, VersionStory] = {}

    def open_release(self, entry: AuditEntry) -> None:
        """Add the story of a release."""
        if entry.prompt and entry.to and (entry.prompt, entry.to.version) not in self._by_version:
            self._open(entry.prompt, entry.to.version, entry.to.fingerprint)

    def find(self, entry: AuditEntry) -> Iterator[VersionStory]:
        """Yield the stories that an entry belongs to."""
        prompt = entry.prompt
        if prompt is None:
            return
        if entry.takes_out and entry.from_:
            self._running.pop(prompt, None)
            if (ended := self._by_version.get((prompt, entry.from_.version))) is not None:
                yield ended
            return
        target = self._find_target(prompt, entry)
        if entry.what == "rolled-back" and entry.from_:
            before = self._by_version.get((prompt, entry.from_.version))
            if before is not None and before is not target:
                yield before
        if target is not None:
            if entry.what in RUNNING and entry.what != "released":
                self._running[prompt] = target
            yield target
        elif entry.what in {"alert-opened", "alert-closed"} and prompt in self._running:
            yield self._running[prompt]

    def _find_target(self, prompt: str, entry: AuditEntry) -> VersionStory | None:
        if entry.to is None:
            return None
        version, fingerprint = entry.to.version, entry.to.fingerprint
        known = self._by_version.get((prompt, version))
        if known is None and fingerprint and ReleaseNumber.find(version) is None:
            known = self._by_content.get((prompt, fingerprint))
        return known or self._open(prompt, version, fingerprint)

    def _open(self, prompt: str, version: str, fingerprint: str | None) -> VersionStory:
        story = VersionStory(prompt=prompt, version=version, fingerprint=fingerprint)
        self.stories.append(story)
        self._by_version[prompt, version] = story
        if fingerprint:
            self._by_content.setdefault((prompt, fingerprint), story)
        return story
