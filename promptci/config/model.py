"""Config: the options of every package, from one promptci.yml."""

from collections.abc import Mapping
from dataclasses import field

from promptci.config.alert_options import AlertOptions
from promptci.config.drift_options import DriftOptions
from promptci.config.policy import ApprovalRule, GatePolicy, OverridePolicy
from promptci.config.run_limits import DEFAULT_AUTO_CALLS, RunLimits
from promptci.config.sections.prompt_override import PromptOverride
from promptci.git.safe_open import SizeLimit
from promptci.lazy_dataclass import dataclass
from promptci.prompts.options import PromptOptions, Syntax
from promptci.providers.options import ProviderOptions

DEFAULT_INCLUDE = ("**/*.prompt.yml", "**/*.prompt.yaml")


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptPatterns:
    """Where prompts and goldens are: section `prompts`."""

    include: tuple[str, ...] = DEFAULT_INCLUDE
    goldens: str = "goldens/{name}.*"
    user: str | None = None
    syntax: Syntax | None = None
    max_golden_mb: int = 200
    """Largest golden file, in millions of bytes."""

    @property
    def golden_limit(self) -> SizeLimit:
        """How large a golden file may be."""
        return SizeLimit(max_bytes=self.max_golden_mb * 10**6, setting="prompts.max_golden_mb")


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
    explain_calls: int = 200
    """Calls that may find out which edits of failed prompts broke their cases; 0: none."""
    overrides: tuple[PromptOverride, ...] = ()
    """What single prompts have of their own, in the order of the file."""
    requests_per_day: float | None = None
    """Turns cost per request into cost per month; None: no monthly figure."""
    log_columns: Mapping[str, str] = field(default_factory=dict)
    """Of fields of the request log, the names that the application uses."""
    comment_template: str | None = None
    """Jinja template for the comment, a file of the repository; None: the default."""
    full_texts: bool = False
    """Keep the long texts of cases that passed in the report of a large run."""
    alerts: AlertOptions = field(default_factory=AlertOptions)
    drift: DriftOptions = field(default_factory=DriftOptions)
    merge_override: OverridePolicy = field(default_factory=OverridePolicy)
    approvals: tuple[ApprovalRule, ...] = ()
    site_url: str = ""
    """Address of the site; empty: none."""
    present: bool = True
    """False where the file does not exist, so everything is at its default."""

    @property
    def endpoints(self) -> tuple[ProviderOptions, ...]:
        """All providers that it describes: that of all prompts first, then those of some."""
        own = (override.endpoint for override in self.overrides)
        return (self.provider, *{options.id: options for options in own if options is not None}.values())

    @property
    def priced_models(self) -> frozenset[str]:
        """Models whose price it has."""
        return frozenset(model for options in self.endpoints for model in options.prices)

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Variables with the keys of its endpoints."""
        return tuple(dict.fromkeys(options.api_key_env for options in self.endpoints if options.api_key_env))

    @property
    def prompt_options(self) -> PromptOptions:
        """Defaults of what prompt files do not say."""
        return PromptOptions(
            model=self.provider.model,
            parameters=self.provider.defaults,
            user=self.prompts.user,
            syntax=self.prompts.syntax,
            overrides=self.overrides,
        )
