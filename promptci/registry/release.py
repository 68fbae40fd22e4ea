"""Release: one version of a prompt, as its annotated git tag records it."""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime

from promptci.lazy_dataclass import dataclass
from promptci.registry.number import ReleaseNumber

TAG_PREFIX = "prompts/"


def tag_name(prompt: str, number: ReleaseNumber) -> str:
    """Return the name of a release's tag: `prompts/order-extractor/v1.2.0`."""
    return f"{TAG_PREFIX}{prompt}/{number}"


def parse_moment(written: str) -> datetime:
    """Return a time as git prints it; the earliest there is for none, or one beyond the year 9999: git takes any."""
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """One released version."""

    prompt: str
    number: ReleaseNumber
    commit: str
    tagged_by: str = ""
    """Name and address of the tagger; empty for a tag that is not annotated."""
    at: str = ""
    """ISO 8601 with its zone."""
    subject: str = ""
    trailers: Mapping[str, str] = field(default_factory=dict)
    signed: bool = False

    @property
    def tag(self) -> str:
        """Name of the tag."""
        return tag_name(self.prompt, self.number)

    @property
    def name(self) -> str:
        """`order-extractor@v1.2.0`."""
        return f"{self.prompt}@{self.number}"

    @property
    def fingerprint(self) -> str:
        """The prompt's fingerprint when it was released; empty where the tag does not say."""
        return self.trailers.get("Fingerprint", "")

    @property
    def replaces(self) -> tuple[ReleaseNumber, str] | None:
        """The version that this one replaced, and its fingerprint."""
        version, _, fingerprint = self.trailers.get("Replaces", "").partition(" ")
        number = ReleaseNumber.find(version)
        return None if number is None else (number, fingerprint.strip())
