"""Config: the options of every package, from one promptci.yml."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from promptci.config.alert_options import AlertOptions
from promptci.config.drift_options import DriftOptions
from promptci.config.policy import GatePolicy
from promptci.config.run_limits import DEFAULT_AUTO_CALLS, RunLimits
from promptci.providers.options import ProviderOptions

DEFAULT_INCLUDE = ("**/*.prompt.yml", "**/*.prompt.yaml")


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptPatterns:
    """Where prompts and goldens are: section `prompts`."""

    include: tuple[str, ...] = DEFAULT_INCLUDE
    goldens: str = "goldens/{name}.*"


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeOptions:
    """The model that grades what code cannot check: section `judge`."""

    model: str | None = None
    """None: a `judge` assertion must name its model."""
    rubric: str | None = None
    """File with the rubric, in the repository."""
    embedding_model: str | None = None
    """None: a `similar` assertion must name its model."""
    pairwise: bool = False
    """Compare both versions' answers instead of grading each."""
    probes: int = 12
    """Adversarial probes that each judge of a run is tested with."""
    labels: str = "goldens/{name}.labels.jsonl"
    """Glob of the answers that people labelled."""
    min_kappa: float = 0.6
    """With a lower Cohen's kappa, a judge is advisory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """A whole promptci.yml, defaults filled in."""

    prompts: PromptPatterns = field(default_factory=PromptPatterns)
    provider: ProviderOptions = field(default_factory=ProviderOptions)
    run: RunLimits = field(default_factory=lambda: RunLimits(auto_calls=DEFAULT_AUTO_CALLS))
    judge: JudgeOptions = field(default_factory=JudgeOptions)
    gate: GatePolicy = field(default_factory=GatePolicy)
    requests_per_day: float | None = None
    """Turns cost per request into cost per month; None: no monthly figure."""
    log_columns: Mapping[str, str] = field(default_factory=dict)
    """Of fields of the request log, the names that the application uses."""
    comment_template: str | None = None
    """Jinja template for the comment, a file of the repository; None: the default."""
    alerts: AlertOptions = field(default_factory=AlertOptions)
    drift: DriftOptions = field(default_factory=DriftOptions)
    present: bool = True
    """False where the file does not exist, so everything is at its default."""
