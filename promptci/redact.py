"""Take secrets out of text before it is written anywhere: known values in every spelling, and what looks like a key."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib import parse

MARK = "[redacted]"
SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD")
"""A variable whose name ends so holds a secret."""
SHORTEST_IN_ENVIRONMENT = 8
"""Shorter values (`true`, `1`) would blank out ordinary words."""
SHORTEST = 4
SHORTEST_ENCODED = 8
"""Base64 of a shorter value is too likely to occur by chance."""

_PATTERNS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-[A-Za-z0-9_-]{20,}"
    r"|gh[pousr]_[A-Za-z0-9_]{20,}"
    r"|github_pat_[A-Za-z0-9_]{20,}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])"
    r"|AIza[0-9A-Za-z_-]{30,}"
    r"|nvapi-[A-Za-z0-9_-]{20,}"
    r"|(?:hf|gsk)_[A-Za-z0-9]{30,}"
    r"|xai-[A-Za-z0-9]{40,}"
    r"|glpat-[A-Za-z0-9_-]{20,}"
    r"|xox[abprs]-[A-Za-z0-9-]{20,}"
    # A digit is asked for, so that "Bearer authentication" stays readable.
    r"|[Bb]earer\s+(?=\S*\d)[A-Za-z0-9._~+/-]{8,}=*"
    r")"
)


class Redactor:
    """Replaces secrets by `[redacted]`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Learn the secrets; values shorter than 4 characters are left alone."""
        forms = {form for secret in secrets for part in _parts(secret) for form in _forms(part)}
        # The longest first: a secret that contains another goes as a whole.
        ordered = sorted((form for form in forms if form not in MARK), key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Redactor":
        """Learn the values of all variables that are named like secrets."""
        return cls(
            value
            for name, value in environ.items()
            if name.upper().endswith(SECRET_NAMES) and len(value.strip()) >= SHORTEST_IN_ENVIRONMENT
        )

    def known(self, text: str) -> str:
        """Replace the known values only, so that an answer stays otherwise as it was given."""
        return text if self._known is None else self._known.sub(MARK, text)

    def text(self, text: str) -> str:
        """Replace the known values and everything that looks like a key of a well-known service."""
        return _PATTERNS.sub(MARK, self.known(text))


def _parts(secret: str) -> Iterator[str]:
    """Give the secret and, where it has several lines, each line: a log shows it line by line."""
    for part in {secret, secret.strip(), *(line.strip() for line in secret.splitlines())}:
        if len(part) >= SHORTEST:
            yield part


def _forms(secret: str) -> Iterator[str]:
    """Give the spellings in which a secret turns up in URLs, JSON, HTML and headers."""
    yield secret
    raw = secret.encode("utf-8", errors="surrogatepass")
    for quoted in (parse.quote_from_bytes(raw, safe=""), parse.quote_from_bytes(raw), parse.quote_plus(raw)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), quoted)
    for ascii_only in (True, False):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
    yield html.escape(secret)
    if len(raw) >= SHORTEST_ENCODED:
        yield raw.hex()
        yield raw.hex().upper()
        yield from _base64_forms(raw)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """Give what base64 makes of the bytes wherever they stand: at each of three offsets, without the mixed ends."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        core = encoded[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6].decode()
        yield core
        yield core.translate(str.maketrans("+/", "-_"))
