"""Take secrets out of text before it is written anywhere: known values in every spelling, and what looks like a key."""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import html
    from urllib import parse
else:
    html = lazy_import("html")
    parse = lazy_import("urllib.parse")

REPLACEMENT = "[redacted]"
SECRET_SUFFIXES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS", "AUTH")
"""A variable whose name ends so holds a secret."""
MIN_ENVIRONMENT_SECRET_CHARS = 8
"""Shorter values (`true`, `1`) would blank out ordinary words."""
MIN_SECRET_CHARS = 4
MIN_ENCODED_BYTES = 8
"""Base64 of a shorter value is too likely to occur by chance."""
PREFIX_CHARS = 12
"""So many first characters of a longer secret give it away: a text that was cut short may end within it."""

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
_KEY_STARTS = {
    "_": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "hf_", "gsk_"),
    "-": ("sk-", "nvapi-", "xai-", "glpat-", "xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-"),
    "A": ("AKIA", "ASIA", "AIza"),
    "earer": ("Bearer", "bearer"),
}
"""With these begins each match of `_PATTERNS`, by what they share: a text without it holds none of them.

To look for them first is many times faster.
"""
_KEY_HEADS = {sign: tuple(start[:-1].rpartition(sign)[2] for start in _KEY_STARTS[sign]) for sign in "_-"}
"""What stands before the sign that ends these beginnings."""
MAX_RARE = 64
"""So many times a sign may occur in a text, for a look before each to be faster than a search for each beginning."""
_UNICODE_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPES = (('\\"', '"'), ("\\n", "\n"), ("\\/", "/"), ("\\t", "\t"), ("\\r", "\r"), ("\\b", "\b"), ("\\f", "\f"))
_SPECIAL = re.compile(r"[\x00-\x1f\"\\]")
"""Signs that JSON escapes; it may escape others too, as `\\/` or by `\\u`."""
_USER_INFO = re.compile(r"://[^/@\s:]*:([^/@\s]+)@")


class Redactor:
    """Replaces secrets by `[redacted]`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Learn the secrets; values shorter than 4 characters are left alone."""
        forms = {form for secret in secrets for part in _parts(secret) for form in _forms(part)}
        self._known: dict[str, list[str]] = {}
        for form in sorted(form for form in forms if form not in REPLACEMENT):
            # An address is no secret by its beginning, which others share.
            self._known.setdefault(form if "://" in form else form[:PREFIX_CHARS], []).append(form)
        self._escapable = any(_SPECIAL.search(head) for head in self._known)
        heads = sorted(self._known, key=lambda head: (-len(head), head))
        self._heads = re.compile("|".join(map(re.escape, heads))) if heads else None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], *names: str) -> "Redactor":
        """Learn the values of the variables `names` and of all that are named like secrets or hold what looks like one.

        Of an address with a user and password in it, such as a proxy's, the password is learned.
        """
        secrets = [
            value
            for name, value in environ.items()
            if name in names or name.upper().endswith(SECRET_SUFFIXES) or _PATTERNS.fullmatch(value.strip())
        ]
        secrets += [match[1] for value in environ.values() if (match := _USER_INFO.search(value))]
        return cls(secret for secret in secrets if len(secret.strip()) >= MIN_ENVIRONMENT_SECRET_CHARS)

    def redact_known(self, text: str) -> str:
        """Replace the known values only."""
        # To look for each beginning is many times faster than the pattern of all, which is needed where one occurs.
        if self._heads is None or not any(head in text for head in self._known):
            return text
        parts, done = [], 0
        while match := self._heads.search(text, done):
            end = max(_reach(text, match.start(), form) for form in self._known[match[0]])
            parts += [text[done : match.start()], REPLACEMENT]
            done = end
        return "".join([*parts, text[done:]])

    def redact(self, text: str) -> str:
        """Replace the known values and everything that looks like a key of a well-known service."""
        text = self.redact_known(text)
        return _PATTERNS.sub(REPLACEMENT, text) if looks_like_key(text) else text

    def is_clean(self, document: str) -> bool:
        """Whether no text within a JSON document holds what `text` would replace; False where that is not certain.

        One look at the whole document is many times cheaper than one at each of its texts.
        """
        if not (self._escapable or "\\u" in document or "\\/" in document or _has_key_start(document)):
            # Nothing that is looked for is escaped, so it stands in the document as in its texts.
            return not any(head in document for head in self._known)
        plain = _unescape_json(document)
        seen = [document] if plain is document else [document, plain]
        known = any(head in text for head in self._known for text in seen)
        return not known and not looks_like_key(plain)

    def redact_value(self, value: Any) -> Any:
        """Replace in every text of a JSON value, keys among them."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {
                self.redact(key) if isinstance(key, str) else key: self.redact_value(item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.redact_value(item) for item in value]
        return value


def looks_like_key(text: str) -> bool:
    """Return whether something in the text has the shape of a well-known service's key."""
    return any(
        _begins_key(text, start)
        for shared, starts in _KEY_STARTS.items()
        if _may_hold(text, shared)
        for start in starts
    )


def _has_key_start(text: str) -> bool:
    """Return whether the beginning of a key is in the text, whatever follows."""
    return any(start in text for shared, starts in _KEY_STARTS.items() if _may_hold(text, shared) for start in starts)


def _may_hold(text: str, shared: str) -> bool:
    """Return whether the beginning of a key may be in the text, by what some of them share."""
    if shared not in text:
        return False
    heads = _KEY_HEADS.get(shared)
    if heads is None or text.count(shared) > MAX_RARE:
        return True
    return any(part.endswith(heads) for part in text.split(shared)[:-1])


def _begins_key(text: str, start: str) -> bool:
    """Return whether a key that begins with `start` is in the text."""
    position = text.find(start)
    while position >= 0:
        if _PATTERNS.match(text, position):
            return True
        position = text.find(start, position + 1)
    return False


def _unescape_json(document: str) -> str:
    """Return a JSON document with the escapes in its texts replaced by what they stand for."""
    if "\\" not in document:
        return document
    # Between two escaped backslashes, each backslash begins an escape of its own.
    return "\\".join(map(_unescape_part, document.split("\\\\")))


def _unescape_part(text: str) -> str:
    if "\\" not in text:
        return text
    for escape, plain in _ESCAPES:
        text = text.replace(escape, plain)
    return _UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text) if "\\u" in text else text


def _reach(text: str, start: int, form: str) -> int:
    """Return where the longest common beginning of `form` and of the text from `start` ends."""
    if text.startswith(form, start):
        return start + len(form)
    return start + next(i for i, sign in enumerate(form) if text[start + i : start + i + 1] != sign)


def _parts(secret: str) -> Iterator[str]:
    """Return the secret and, where it has several lines, each line: a log shows it line by line."""
    for part in {secret, secret.strip(), *(line.strip() for line in secret.splitlines())}:
        if len(part) >= MIN_SECRET_CHARS:
            yield part


def _forms(secret: str) -> Iterator[str]:
    """Return the spellings in which a secret turns up in URLs, JSON, HTML and headers."""
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
    if len(raw) >= MIN_ENCODED_BYTES:
        yield raw.hex()
        yield raw.hex().upper()
        yield from _base64_forms(raw)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """Return what base64 makes of the bytes wherever they stand: at each of three offsets, without the mixed ends."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        core = encoded[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6].decode()
        yield core
        yield core.translate(str.maketrans("+/", "-_"))
