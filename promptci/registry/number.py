"""Numbers of releases: `v1.2.0`, their order, and the next one."""

import re
from typing import Literal, get_args

from promptci.errors import UsageError
from promptci.lazy_dataclass import dataclass

Bump = Literal["major", "minor", "patch"]
BUMPS: tuple[Bump, ...] = get_args(Bump)
_NUMBER = re.compile(r"v?(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")


@dataclass(frozen=True, order=True, slots=True)
class ReleaseNumber:
    """A semantic version without pre-release or build."""

    major: int
    minor: int
    patch: int

    @classmethod
    def find(cls, text: str) -> "ReleaseNumber | None":
        """Read `v1.2.0` or `1.2.0`; None where it is neither."""
        match = _NUMBER.fullmatch(text)
        return None if match is None else cls(*map(int, match.groups()))

    @classmethod
    def parse(cls, text: str) -> "ReleaseNumber":
        """Read `v1.2.0` or `1.2.0`.

        Raises
        ------
        UsageError
            Where it is neither.
        """
        number = cls.find(text)
        if number is None:
            raise UsageError(f"`{text}` is not a version", "Write it like v1.2.0.")
        return number

    def __str__(self) -> str:
        """Return `v1.2.0`."""
        return f"v{self.major}.{self.minor}.{self.patch}"

    def next(self, bump: Bump) -> "ReleaseNumber":
        """Return the number after this one."""
        if bump == "major":
            return ReleaseNumber(self.major + 1, 0, 0)
        if bump == "minor":
            return ReleaseNumber(self.major, self.minor + 1, 0)
        return ReleaseNumber(self.major, self.minor, self.patch + 1)


FIRST = ReleaseNumber(1, 0, 0)
