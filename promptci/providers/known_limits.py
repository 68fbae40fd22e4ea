"""What endpoints allowed in earlier runs: kept in the memory's folder, so that a run need not find it out again."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from promptci.documents.document import Document
from promptci.errors import InputError
from promptci.files import write
from promptci.lazy_dataclass import dataclass

DEFAULT_CONCURRENCY, MAX_CONCURRENCY = 8, 1000
"""Calls at once, at first and at most, where the user names no number."""
FEW = 4
"""Answers that are asked for beside fewer others take as long as they take alone."""
QUEUED = 2.5
"""Where answers take so many times as long as when few are asked, the others wait in a queue."""
FILE_NAME = "limits.json"
MAX_MODELS = 200
"""Models that are kept; those that were asked longest ago are dropped."""


class KnownLimit(BaseModel):
    """What one model of one endpoint allowed."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    calls_at_once: Annotated[float, Field(ge=1, le=1000)] = Field(description="Calls under way to begin with.")
    calls_per_second: Annotated[float, Field(gt=0, le=1e6)] | None = Field(
        description="The rate that was found; null if no call was refused."
    )
    answer_s: Annotated[float, Field(gt=0, le=1e6)] = Field(description="Seconds an answer takes when few are asked.")


class KnownLimits(Document):
    """The limits of all endpoints that were asked."""

    MAX_BYTES: ClassVar[int] = 2**20

    schema_: Literal["promptci/limits/v1"] = Field(default="promptci/limits/v1", alias="schema")
    limits: dict[str, KnownLimit] = Field(default={}, description="By address and model.")


@dataclass(kw_only=True, slots=True)
class LoadObserver:
    """How long answers take when few are asked, and when many are: an endpoint that queues takes longer."""

    known: KnownLimit | None = None
    _most: int = 0
    """Calls under way at once, of those that were answered."""
    _quiet: int = 0
    _quiet_s: float = 0.0
    """Answers that were asked for beside few others, and their time in all."""
    _busy_s: float | None = None

    def observe(self, others: int, took_s: float) -> None:
        """Record an answer that was asked for beside so many others."""
        self._most = max(self._most, others + 1)
        if others < FEW:
            self._quiet, self._quiet_s = self._quiet + 1, self._quiet_s + took_s
        self._busy_s = took_s if self._busy_s is None else 0.9 * self._busy_s + 0.1 * took_s

    def known_limit(self, limit: float, rate: float | None, *, grows: bool) -> KnownLimit | None:
        """Return what a later run should begin with: more where nothing was refused and no answer took longer."""
        answer_s = self.known.answer_s if self.known else self._quiet_s / max(self._quiet, 1)
        if not self._most or answer_s <= 0 or self._busy_s is None:
            return None
        calls = limit
        if rate is None:
            queues = self._busy_s > QUEUED * answer_s or not grows
            calls = min(limit, self._most) * (0.5 if queues else 2.0)
            if self.known is not None and not queues:
                calls = max(calls, self.known.calls_at_once)
        return KnownLimit(
            calls_at_once=min(max(calls, DEFAULT_CONCURRENCY), MAX_CONCURRENCY),
            calls_per_second=rate,
            answer_s=min(answer_s, 1e6),
        )


class LimitsFile:
    """The file of one endpoint's limits. A fault in it never fails a run: what is not known is found out again."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self._path = folder / FILE_NAME
        self._base_url = base_url

    def load(self) -> dict[str, KnownLimit]:
        """Return what is known, by model."""
        prefix = f"{self._base_url} "
        return {name.removeprefix(prefix): limit for name, limit in self._load().items() if name.startswith(prefix)}

    def save(self, limits: Mapping[str, KnownLimit | None]) -> None:
        """Replace what is known of these models; None leaves it."""
        new = {f"{self._base_url} {model}": limit for model, limit in limits.items() if limit is not None}
        if not new:
            return
        kept = {name: limit for name, limit in self._load().items() if name not in new}
        latest = dict([*kept.items(), *new.items()][-MAX_MODELS:])
        with contextlib.suppress(OSError):
            if not self._path.parent.exists():
                write.write_text(self._path.with_name(".gitignore"), "*\n")
            write.write_text(self._path, KnownLimits(limits=latest).dump())

    def _load(self) -> dict[str, KnownLimit]:
        try:
            return KnownLimits.load(self._path).limits
        except InputError:
            return {}
