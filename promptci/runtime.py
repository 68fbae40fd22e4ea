"""What an application imports: the released prompts of an environment, which arm a user gets, and the request log.

One file, standard library only, Python 3.11 or later: `pip install` it with promptci, or copy it into the application.
docs/runtime.md shows how to use it, docs/bundle.md specifies the format and the hash.
"""

import contextlib
import hashlib
import hmac
import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any

SCHEMA, HASH = "promptci/bundle/v1", 1
MAX_BYTES, MAX_LINE_BYTES = 16 * 2**20, 4096  # a local file takes such a line in one piece, whoever else appends
MAX_TEXT_CHARS = 100  # of a text from outside, such as an error, in the log
WAIT_S, DEADLINE_S = 3.0, 30.0  # for the server to send something, and for the whole bundle
_VARIABLE = re.compile(r"\{\{\s*(\w[\w-]*(?:\.[\w-]+)*)\s*\}\}")
_FORMS = {  # what the log's readers take, as JSON; anything else costs the value, not the line
    "promptci.latency_ms": r"\d{1,15}(\.\d+)?(e[+-]\d\d)?",
    "gen_ai.usage.input_tokens": r"\d{1,15}(\.0)?",
    "gen_ai.usage.output_tokens": r"\d{1,15}(\.0)?",
    "gen_ai.usage.cost.amount": r'"\d{1,15}(\.\d{1,30})?"',
    "gen_ai.evaluation.score.value": r"[01](\.0)?|0\.\d+|\d(\.\d+)?e-\d+",
    "promptci.signal": '"positive"|"negative"',
}
_clock, _sha256, _AT_ONCE = time.monotonic, hashlib.sha256, getattr(os, "O_NONBLOCK", 0)  # no pipe is waited for


class BundleError(Exception):
    """There is no bundle to start with: neither the network, nor the copy, nor a built-in one."""


class PromptError(LookupError):
    """The code asks for a prompt that no bundle had, or gives a message no value for its variable."""


def utf8(text: str) -> bytes:
    """Encode a text as JavaScript's TextEncoder does: a lone surrogate becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def point(salt: str, key: str) -> int:
    """Return where a key stands between 0 and 2**32 - 1: the first 4 bytes of SHA-256 of salt, line feed and key."""
    return int.from_bytes(_sha256(utf8(f"{salt}\n{key}")).digest()[:4], "big")


class _Version:
    def __init__(self, value: Mapping[str, Any], arm: str) -> None:
        self.arm, prompt = arm, _require(value, "prompt", dict)
        self.version: str = _require(value, "version", str)
        self.fingerprint: str = _require(value, "fingerprint", str)
        self.model: str = _require(prompt, "model", str)
        form = prompt.get("response_format", "text")
        extra = {"json_schema": _require(prompt, "json_schema", dict)} if form == "json_schema" else {}
        asked = {} if form == "text" else {"response_format": {"type": form, **extra}}
        self.parameters: dict[str, Any] = {**_require(prompt, "parameters", dict), **asked}
        messages = _require(prompt, "messages", list)
        self.messages = [(_require(message, "role", str), _require(message, "content", str)) for message in messages]
        if prompt.get("template") != "fill" or form not in {"text", "json_object", "json_schema"} or not messages:
            raise ValueError(f"version {self.version}: unknown template or response format, or no message")


class _Entry:
    def __init__(self, name: str, value: Mapping[str, Any], bundle: str) -> None:
        self.name, self.bundle = name, bundle
        self.stable = _Version(_require(value, "stable", dict), "stable")
        self.canary = None if value.get("canary") is None else _Version(_require(value, "canary", dict), "canary")
        self.share = _require_int(value, "share", 10_000)
        self.prefix = utf8(_require(value, "salt", str) + "\n")
        # point * 10000 < share * 2**32, solved for the point; its 4 bytes compare with a digest as numbers do.
        limit = 0 if self.canary is None else -(-(self.share << 32) // 10_000)
        self.limit = b"\xff" * 33 if limit == 2**32 else limit and limit.to_bytes(4, "big")


class _Content:
    def __init__(self, data: bytes) -> None:
        value = json.loads(data.decode(), parse_constant=lambda text: _require({}, text, int))
        if (_require(value, "schema", str), _require_int(value, "hash")) != (SCHEMA, HASH):
            raise ValueError(f"its schema is not {SCHEMA} with hash {HASH}, which this runtime reads")
        self.digest = _sha256(data).hexdigest()
        self.serial = _require_int(value, "serial")
        self.environment: str = _require(value, "environment", str)
        prompts = _require(value, "prompts", dict)
        self.entries = {name: _Entry(name, _require(prompts, name, dict), self.digest[:12]) for name in prompts}


def _require(value: Any, key: str, kind: type) -> Any:
    item = value.get(key) if isinstance(value, dict) else None
    if not isinstance(item, kind):
        raise ValueError(f"`{key}` is missing or not of the type {kind.__name__}")  # noqa: TRY004 - bad content
    return item


def _require_int(value: Any, key: str, most: int = 2**53) -> int:
    number: int = _require(value, key, int)
    if isinstance(number, bool) or not 0 <= number <= most:
        raise ValueError(f"`{key}` is not a whole number from 0 to {most}")
    return number


class Use:
    """One use of a prompt: the version that a user gets, its messages, and the line in the log."""

    __slots__ = ("_chosen", "_entry", "_key", "_log", "_request")
    name = property(attrgetter("_entry.name"), doc="The prompt's name.")
    arm = property(attrgetter("_chosen.arm"), doc="`stable` or `canary`.")
    version = property(attrgetter("_chosen.version"), doc="The version's name, such as `v1.3.0`.")
    fingerprint = property(attrgetter("_chosen.fingerprint"), doc="SHA-256 over everything that can change an answer.")
    model = property(attrgetter("_chosen.model"), doc="The model's name, as the prompt file writes it.")

    def __init__(self, key: str, entry: _Entry, chosen: _Version, log: "_Log") -> None:
        self._key, self._entry, self._chosen, self._log, self._request = key, entry, chosen, log, ""

    @property
    def parameters(self) -> dict[str, Any]:
        """All else that the request needs, the response format included; a copy, to be changed as you like."""
        return dict(json.loads(json.dumps(self._chosen.parameters)))

    @property
    def request(self) -> str:
        """The request's id in the log, for `Bundle.late`."""
        self._request = self._request or os.urandom(8).hex()
        return self._request

    def messages(self, variables: Mapping[str, Any] | None = None, /, **named: Any) -> list[dict[str, str]]:
        """Return the messages, filled in; raises PromptError that names a missing variable."""
        values = {**(variables or {}), **named}
        return [
            {"role": role, "content": _VARIABLE.sub(lambda match: _text_of(match[1], values), content)}
            for role, content in self._chosen.messages
        ]

    def record(
        self, answer: Any = None, latency_ms: Any = None, error: object = None, cost_usd: Any = None, tag: object = None
    ) -> str:
        """Log a line about a request, by the SDK's response or its JSON; return the request's id. Never raises."""
        self._log.append(
            lambda: {
                "time": _iso(time.time(), latency_ms),
                "promptci.request": self.request,
                "gen_ai.prompt.name": self.name,
                "gen_ai.prompt.version": self.version,
                "feature_flag.result.variant": self.arm,
                "promptci.share": self._entry.share,
                "promptci.unit": _unit(self._entry, self._key),
                "promptci.bundle": self._entry.bundle,
                "promptci.latency_ms": latency_ms,
                "gen_ai.request.model": self.model,
                "gen_ai.response.model": _short(_get(answer, "model")),
                "gen_ai.response.id": _short(_get(answer, "id")),
                "promptci.system_fingerprint": _short(_get(answer, "system_fingerprint")),
                "gen_ai.usage.input_tokens": _get(_get(answer, "usage"), "input_tokens", "prompt_tokens"),
                "gen_ai.usage.output_tokens": _get(_get(answer, "usage"), "output_tokens", "completion_tokens"),
                "gen_ai.usage.cost.amount": _money(cost_usd),
                "error.type": _short(type(error).__name__ if isinstance(error, BaseException) else error),
                "promptci.tag": _short(tag),
            }
        )
        return self.request


def _get(value: object, *names: str) -> Any:
    values = (value.get(name) if isinstance(value, dict) else getattr(value, name, None) for name in names)
    return next((each for each in values if each is not None), None)


def _short(value: object) -> str | None:
    return None if value is None else str(value)[:MAX_TEXT_CHARS]


def _money(value: Any) -> Any:
    return f"{value:.12f}".rstrip("0").rstrip(".") if hasattr(value, "__round__") else value


def _iso(seconds: float, ago_ms: Any = None) -> str:
    seconds -= ago_ms / 1000 if isinstance(ago_ms, int | float) and 0 <= ago_ms < 1e15 else 0
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03}Z"


def _unit(entry: _Entry, key: str) -> str | None:
    """Return what stands for the user in the log: with a secret nobody can guess it from a list of accounts."""
    if secret := os.environ.get("PROMPTCI_USER_SECRET") if key else None:
        return hmac.new(utf8(secret), utf8(key), "sha256").hexdigest()[:16]
    return _sha256(entry.prefix + utf8(key)).hexdigest()[:16] if key else None


def _text_of(name: str, values: Mapping[str, Any]) -> str:
    """Return the value of `name`: the variable of exactly that name, else `a.b` by steps into maps and lists."""
    value: Any = values
    for step in [name] if name in values else name.split("."):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and len(step) <= 9 and int(step) < len(value):
            value = value[int(step)]
        else:
            raise PromptError(f"the prompt needs the variable `{name}`, which has no value")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _warn(message: str) -> None:
    import logging  # noqa: PLC0415 - an application that passes `on_trouble` does not need it

    logging.getLogger("promptci.runtime").warning(message)


class _Log:
    """The request log: one line, one write, so that many processes may append at once."""

    def __init__(self, path: str | os.PathLike[str] | None, trouble: Callable[[str], None]) -> None:
        self._path, self._trouble, self._torn, self.dropped = path, trouble, False, 0

    def append(self, build: Callable[[], Mapping[str, object]]) -> None:
        """Append the line that `build` returns; never raises: what is not written is counted, the first reported."""
        if self._path is None:
            return
        try:
            self._write(dict(build()))
        except Exception as error:  # noqa: BLE001 - the log must not fail the application
            self.dropped += 1
            if self.dropped == 1:
                self._trouble(f"the request log cannot be written: {error}")

    def _write(self, line: dict[str, object]) -> None:
        texts = {name: json.dumps(line[name], default=repr) for name in _FORMS if line.get(name) is not None}
        wrong = [name for name, text in texts.items() if not re.fullmatch(_FORMS[name], text)]
        reason = "; ".join(f"{name} must not be {texts[name]:.60}" for name in wrong)
        if wrong and "promptci.unit" not in line:
            raise ValueError(reason)  # nothing would be left of a late mark
        text = json.dumps(line | dict.fromkeys(wrong), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        data = b"\n" * self._torn + text.encode("utf-8", "backslashreplace") + b"\n"
        if len(data) > MAX_LINE_BYTES:
            raise ValueError(f"a line has {len(data)} bytes, over {MAX_LINE_BYTES}")
        file = os.open(self._path or "", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            self._torn = os.write(file, data) != len(data)  # then the next line begins with a line feed
        finally:
            os.close(file)
        if self._torn or wrong:
            raise OSError("the disk is full" if self._torn else reason)


@dataclass(eq=False)
class Bundle:
    """The prompts of an environment, kept up to date in the background; BundleError if there is none to start with."""

    url: str | os.PathLike[str]  # `https://…`, or the path of a file
    copy: str | os.PathLike[str] | None = None  # file that keeps the last good bundle, for a start without network
    refresh: float = 60.0  # seconds after which the next `choose` has the bundle fetched again
    builtin: bytes | str | None = None  # content of a bundle, for a start without network and without a copy
    log: str | os.PathLike[str] | None = None  # file that `record` appends to
    on_trouble: Callable[[str], object] = _warn  # called with a sentence about what the application does not notice
    headers: Mapping[str, str] = field(default_factory=dict)  # sent to `url`, and to no server that it redirects to
    needs: Sequence[str] = ()  # prompts that must be there at the start

    def __post_init__(self) -> None:
        self.content: Any = None  # a _Content after the start
        self._source = self._etag = self._next_etag = ""
        self._failed, self._confirmed, self._due = False, 0.0, 0.0
        self._lock, self._thread, self.requests = threading.Lock(), threading.Thread(), _Log(self.log, self._trouble)
        if hasattr(os, "register_at_fork"):  # a child must not inherit a lock that is held
            os.register_at_fork(after_in_child=lambda: setattr(self, "_lock", threading.Lock()))
        self._try("built-in", lambda: self.builtin.encode() if isinstance(self.builtin, str) else self.builtin)
        self._try("copy", lambda: self._fetch(self.copy) if self.copy and Path(self.copy).is_file() else None)
        self._fetch_behind()
        for wait in (WAIT_S, DEADLINE_S):
            if self._thread.is_alive() and (wait == WAIT_S or self.content is None):
                self._thread.join(wait)
        if self.content is None:
            raise BundleError(f"no bundle from {self.url}, and neither a copy on disk nor a built-in one")
        if missing := [name for name in self.needs if name not in self.content.entries]:
            raise BundleError(f"the bundle lacks {', '.join(missing)}; it has {', '.join(self.content.entries)}")

    def choose(self, name: str, key: str | int | None = None) -> Use:
        """Return what the user `key` gets; never waits, and raises only PromptError for a name that no bundle had."""
        if _clock() >= self._due:
            self._fetch_behind()
        entry = self.content.entries.get(name)
        if entry is None:
            raise PromptError(f"no bundle had the prompt `{name}`")
        text = key if isinstance(key, str) else "" if key is None else str(key)
        is_canary = entry.limit and text and _sha256(entry.prefix + utf8(text)).digest() < entry.limit
        return Use(text, entry, entry.canary if is_canary else entry.stable, self.requests)

    def late(self, request: str, quality: float | None = None, signal: str | None = None) -> None:
        """Append what became known of a request later: a mark from 0 to 1, `positive` or `negative`; never raises."""
        mark = {"gen_ai.evaluation.name": "quality", "gen_ai.evaluation.score.value": quality}
        attributes = ({} if quality is None else mark) | ({} if signal is None else {"promptci.signal": signal})
        self.requests.append(lambda: {"time": _iso(time.time()), "promptci.request": str(request), **attributes})

    @property
    def state(self) -> str:
        """`fresh`, `stale since TIME`, `copy` or `built-in`."""
        is_late = self._failed or time.time() - self._confirmed > 2 * self.refresh + DEADLINE_S
        return f"stale since {_iso(self._confirmed)}" if is_late and self._source == "fresh" else self._source

    def _trouble(self, message: str) -> None:
        with contextlib.suppress(Exception):
            self.on_trouble(message)

    def _fetch_behind(self) -> None:
        self._due = _clock() + self.refresh
        try:
            if not self._thread.is_alive():
                self._thread = threading.Thread(target=self._try, args=("fresh", self._fetch), daemon=True)
                self._thread.start()
        except RuntimeError:  # no thread can be started, as at the end of the process
            self._failed = True

    def _fetch(self, path: str | os.PathLike[str] | None = None) -> bytes | None:
        url = str(path or self.url)
        if "://" not in url:
            return _read_bounded(open(url, "rb", opener=lambda name, flags: os.open(name, flags | _AT_ONCE)))
        reply = _download(url, self.headers, self._etag)
        self._next_etag = reply and (reply.headers.get("ETag") or "")
        return reply and _read_bounded(reply)

    def _try(self, source: str, read: Callable[[], bytes | None]) -> None:
        """Use a bundle where it is good; else the one in use stays."""
        fetched = source == "fresh"
        try:
            if (data := read()) is not None:
                with self._lock:
                    self.content = self._successor(_Content(data))
                self._etag = self._next_etag
            if data is not None or fetched:
                self._source, self._failed, self._confirmed = source, False, time.time()
        except Exception as error:  # noqa: BLE001 - the application goes on with what it has
            self._failed = self._failed or fetched
            self._trouble(f"bundle from {self.url if fetched else source}: {error or repr(error)}")
        else:
            if fetched and data is not None and self.copy is not None:
                _write_copy(Path(self.copy), data, self._trouble)

    def _successor(self, new: _Content) -> _Content:
        """Return what follows the bundle in use; raises ValueError where `new` must not."""
        old = self.content
        if old is None or (old.environment != new.environment and self._source != "fresh"):
            return new
        if old.environment != new.environment or new.serial < old.serial:
            now, then = f"{new.environment} {new.serial}", f"{old.environment} {old.serial}"
            raise ValueError(f"it is {now} (environment and serial), which does not follow {then}, in use")
        if gone := old.entries.keys() - new.entries.keys():
            self._trouble(f"{', '.join(sorted(gone))}: no longer in the bundle; the version before stays in use")
        new.entries = {**old.entries, **new.entries}
        return new


def _read_bounded(file: Any) -> bytes:
    data, until = bytearray(), _clock() + DEADLINE_S
    with file:
        while chunk := file.read1(2**16):
            data += chunk
            if len(data) > MAX_BYTES or _clock() > until:
                raise ValueError(f"it is over {MAX_BYTES} bytes, or took over {DEADLINE_S:g} s")
    return bytes(data)


def _download(url: str, headers: Mapping[str, str], etag: str) -> Any:
    """Return the server's reply; None where the bundle is as it was."""
    from urllib import error, request  # noqa: PLC0415 - imported by the thread, so that no start waits for it

    if not url.startswith(("https://", "http://")):
        raise ValueError("the address must begin with https://")
    question = request.Request(url)  # noqa: S310 - checked above
    for name, value in {**headers, **({"If-None-Match": etag} if etag else {})}.items():
        question.add_unredirected_header(name, value)
    try:
        return request.urlopen(question, timeout=WAIT_S)  # noqa: S310 - checked above
    except error.HTTPError as answer:
        with answer:
            if answer.code == 304 and etag:
                return None
            raise


def _write_copy(path: Path, data: bytes, trouble: Callable[[str], None]) -> None:
    """Write under another name and rename, so that no reader sees half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if not path.is_file() or path.read_bytes() != data:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
    except OSError as error:
        trouble(f"the copy {path} cannot be written: {error}")
        with contextlib.suppress(OSError):
            temporary.unlink()
