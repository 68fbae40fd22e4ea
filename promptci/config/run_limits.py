"""RunLimits: how often questions are asked, and what a run may cost. Section `run` of promptci.yml."""

from decimal import Decimal

from promptci.lazy_dataclass import dataclass

DEFAULT_AUTO_CALLS = 640
"""Calls that `repeats: auto` may spend on one prompt's cases, both versions together."""
DEFAULT_ASSERTION_TIME_S = 300.0
"""Processor time that the assertions in code of one run may take together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLimits:
    """How a run asks and what it may spend: section `run` of promptci.yml."""

    repeats: int = 1
    """Times each case is asked of each version."""
    repeats_on_disagreement: int | None = None
    """Times where the first answers of the versions disagree, the first ones included; None: no more than others."""
    auto_calls: int | None = None
    """With `repeats: auto`, the most calls for one prompt's cases: they are asked in rounds while the verdict is
    undecided. None: `repeats` says how often."""
    early_stop: bool = False
    """Stop asking once no answer can change the verdict."""
    batch: str = "never"
    """Ask through the provider's Batch API: `never`, `auto` (at the event schedule) or `always`."""
    concurrency: int | None = None
    """None: adapts to the endpoint."""
    budget_usd: Decimal | None = None
    deadline_s: float = 45 * 60.0
    assertion_time_s: float = DEFAULT_ASSERTION_TIME_S
    """Processor time that the assertions in code may take in the whole run."""
    cache: str | None = ".promptci/cache"
    """Folder, relative to the repository; None: no cache."""
    memory: str | None = ".promptci/memory"
    """Folder of earlier results, relative to the repository; None: no memory."""
