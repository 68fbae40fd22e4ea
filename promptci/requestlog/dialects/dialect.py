"""A dialect: under which names a system writes the fields of a request."""

from collections.abc import Mapping
from dataclasses import field, replace

from promptci.lazy_dataclass import dataclass
from promptci.requestlog.aliases import Alias


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorStatus:
    """A status that shows that a request failed, for systems whose error text is for people."""

    status: Alias
    values: tuple[str, ...]
    kind: tuple[Alias, ...] = ()
    """Where the kind of error, or the text about it, stands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """Scores that stand in lines of their own, or in an object beside a request."""

    name: Alias
    value: Alias
    label: Alias
    quality: tuple[str, ...] = ("quality",)
    """Names of the score that is the quality, from 0 to 1."""
    signal: tuple[str, ...] = ("signal", "user-feedback", "user_feedback", "user-score", "user_score")
    """Names of the score that is the user's signal: positive above 0, or a label `positive` or `negative`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """The names of one system."""

    name: str
    """As messages show it."""
    markers: tuple[tuple[str, ...], ...]
    """Sets of keys; a log with all keys of a set is in this dialect."""
    fields: Mapping[str, tuple[Alias, ...]]
    """Of each field, the names under which it may stand, in order; `end` is the time of the answer, `second_id` another
    id that scores may name."""
    metadata: Alias | None = None
    """An object in which our own names may stand too."""
    kind: Alias | None = None
    """Kind of a line; None: every line is a request or a mark."""
    request_kinds: tuple[str, ...] = ()
    """Values of `kind` in any case that make a line a request; other lines are counted as such."""
    status: ErrorStatus | None = None
    scores: Scores | None = None
    """For a file of scores alone."""
    needs_zone: bool = False
    """A time without a zone is bad; in other dialects it is UTC."""
    needs_prompt: bool = False
    """A line without a prompt is bad; in other dialects it is another span."""
    inner_scores: Mapping[str, tuple[Alias, ...]] = field(default_factory=dict)
    """Of `quality` and `signal`, numbers that stand in the line of the request."""

    def with_columns(self, columns: Mapping[str, str]) -> "Dialect":
        """Return the dialect with a repository's own names before its others."""
        own: dict[str, tuple[Alias, ...]] = {}
        for name, column in columns.items():
            target, scale = ("latency_ms", 1000.0) if name == "latency_s" else (name, 1.0)
            own[target] = (Alias(name=column, scale=scale), *own.get(target, ()))
        fields = {**self.fields, **{name: (*names, *self.fields.get(name, ())) for name, names in own.items()}}
        return replace(self, fields=fields)
