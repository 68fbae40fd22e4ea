"""A clock that jumps where a client would sleep, and the real client on it."""

from dataclasses import dataclass, field

from fakes import github as fake

from promptci.publish.github.github_session import ClientClock
from promptci.publish.github.issue_client import IssueClient

NOW = 1_800_000_000.0
"""Its first second, counted from 1970."""


@dataclass
class JumpingClock:
    """Stands still but for what is slept."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.seconds += seconds

    @property
    def clock(self) -> ClientClock:
        """What the client is given."""
        return ClientClock(sleep=self.sleep, monotonic=lambda: self.seconds, now=lambda: NOW + self.seconds)


def client(server: fake.GitHub, time: JumpingClock) -> IssueClient:
    """Return the real client, connected to the fake."""
    return IssueClient(fake.TOKEN, fake.REPOSITORY, server.url, time.clock)
