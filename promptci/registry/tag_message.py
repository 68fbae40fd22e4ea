"""The message of a release's tag: a subject and trailers, which `git interpret-trailers` reads too."""

import re
from collections.abc import Iterable, Mapping

from promptci.lazy_dataclass import dataclass

_TRAILER = re.compile(r"([A-Za-z][A-Za-z-]{0,40}): (.*)")
MAX_VALUE_CHARS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class TagMessage:
    """What the tag of a release says."""

    subject: str
    trailers: Mapping[str, str]
    """In the order in which they are written; an empty one is left out."""

    def __str__(self) -> str:
        """Return the message; each value is one line, so that no text can pose as a trailer of its own."""
        return format_message(self.subject, self.trailers.items())


def format_message(subject: str, trailers: Iterable[tuple[str, str]]) -> str:
    """Return the message of a tag or commit; each value is one line, and an empty one is left out."""
    lines = [f"{key}: {one_line(value)}" for key, value in trailers if one_line(value)]
    return "\n".join([one_line(subject), "", *lines, ""])


def one_line(text: str) -> str:
    """Return a text as one line of bounded length."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:MAX_VALUE_CHARS]


def parse_trailers(body: str) -> dict[str, str]:
    """Return the trailers of a message: those of its last paragraph that has any; the first of a name counts."""
    for paragraph in reversed(re.split(r"\n[ \t]*\n", body.strip())):
        matches = [_TRAILER.fullmatch(line) for line in paragraph.splitlines()]
        if matches and all(matches):
            trailers: dict[str, str] = {}
            for match in filter(None, matches):
                trailers.setdefault(match[1], match[2].strip())
            return trailers
    return {}
