"""DriftOptions: how drift of the deployed prompts is watched, and what is done about it. Section `drift`."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from promptci.lazy_dataclass import dataclass

OnDrift = Literal["alert", "canary", "rollback"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftOptions:
    """Section `drift` of promptci.yml."""

    alarms_per_year: float = 1.0
    """False alarms of the whole repository; its prompts share them."""
    on_drift: OnDrift = "alert"
    keep_answers: bool = False
    """Store the answers of each night for 35 nights, to tell a judge that moved."""
    pinned: Mapping[str, str] = field(default_factory=dict)
    """By the name of a model: a version of it that the provider does not change."""
