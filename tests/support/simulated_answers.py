"""What simulated pull requests are like, and the answers drawn for them: passes, costs and latencies."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from promptci.compare.case_effect import plan_rounds
from promptci.compare.error_budget import ErrorBudget
from promptci.config.policy import GatePolicy

POLICY = GatePolicy()
AUTO_CALLS = 640
PROFILES = {"calm": (0.90, 0.05, 2, 2), "usual": (0.75, 0.05, 2, 1), "noisy": (0.50, 0.05, 2, 1)}
"""Share of cases that always pass, share that never do, and the Beta distribution of the others' pass rates."""
Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the pull requests of a simulation are like."""

    profile: str
    cases: int
    critical: int = 0
    prompts: int = 1
    broken: float = 0.0
    """Share of these goldens that head answers wrong for good, by a draw among those that base passes at times."""
    sigma: float = 0.5
    """Of the logarithm of latencies."""
    slow: float = 0.01
    """Share of answers that take five times as long."""
    lost: float = 0.0
    """Share of head's wrong answers that never arrive."""
    sound: bool = False
    """No case is one that base never passes."""

    @cached_property
    def budget(self) -> ErrorBudget:
        """How the gate shares its error rate in such a pull request."""
        critical = self.critical * self.prompts
        return ErrorBudget(alpha=POLICY.alpha, prompts=self.prompts, critical_cases=critical)

    @cached_property
    def rounds(self) -> tuple[int, ...]:
        """Answers per case and version after each round."""
        return plan_rounds(self.cases, AUTO_CALLS)


UNCHANGED = (
    Setting(profile="calm", cases=10, critical=3),
    Setting(profile="usual", cases=10),
    Setting(profile="noisy", cases=10, critical=10),
    Setting(profile="calm", cases=20, critical=5),
    Setting(profile="usual", cases=20, critical=5, sigma=1.0),
    Setting(profile="noisy", cases=20, critical=20),
    Setting(profile="calm", cases=50),
    Setting(profile="usual", cases=50, critical=5),
    Setting(profile="noisy", cases=50, critical=20, sigma=0.7, slow=0.03),
    Setting(profile="usual", cases=100, critical=5, sigma=0.7, slow=0.02),
    Setting(profile="noisy", cases=100, critical=20, sigma=1.0, slow=0.03),
    Setting(profile="calm", cases=100, critical=3, sigma=0.3),
    Setting(profile="calm", cases=200, sigma=1.0, slow=0.03),
    Setting(profile="usual", cases=200, critical=10),
    Setting(profile="noisy", cases=200, critical=20, sigma=0.7, slow=0.02),
    Setting(profile="usual", cases=20, critical=5, prompts=5),
    Setting(profile="noisy", cases=10, critical=3, prompts=5, sigma=0.3),
    Setting(profile="usual", cases=20, critical=1, prompts=20),
)
"""Pull requests that change nothing."""
GRID = {
    (profile, cases): tuple(
        Setting(profile=profile, cases=cases, critical=min(critical, cases), prompts=prompts, sigma=sigma, slow=slow)
        for critical in (0, 5, 20)
        for prompts in (1, 2, 5, 20)
        for sigma, slow in ((0.3, 0.01), (0.6, 0.02), (1.0, 0.03))
    )
    for profile in PROFILES
    for cases in (10, 20, 50, 100, 200)
}
"""Every combination of what such pull requests may be like."""
BROKEN = (
    Setting(profile="calm", cases=1, broken=1.0, sound=True),
    Setting(profile="calm", cases=2, broken=1.0, sound=True),
    Setting(profile="calm", cases=3, broken=1.0, sound=True),
    Setting(profile="calm", cases=1, broken=1.0),
    Setting(profile="usual", cases=10, broken=0.1),
    Setting(profile="usual", cases=20, broken=0.1),
    Setting(profile="usual", cases=50, broken=0.1),
    Setting(profile="usual", cases=20, broken=0.05),
    Setting(profile="usual", cases=50, broken=0.06),
    Setting(profile="noisy", cases=50, broken=0.1),
    Setting(profile="usual", cases=100, broken=0.08, lost=0.8),
    Setting(profile="usual", cases=100, broken=0.08, lost=1.0),
)
"""Pull requests in which so many of these goldens break for good."""


@dataclass(frozen=True)
class Draws:
    """Everything that two versions of one prompt would answer, each as base's matrix and head's: cases by answers."""

    passes: tuple[Matrix, Matrix]
    """1 or 0; not a number where the answer never arrives."""
    costs: tuple[Matrix, Matrix]
    latencies: tuple[Matrix, Matrix]
    true_drop: float
    """On these cases, by their chances of passing."""


def draw(setting: Setting, rng: np.random.Generator) -> Draws:
    """Draw as many answers as any rule may ask for."""
    shape = (setting.cases, max(setting.rounds[-1], setting.budget.critical_answers))
    rates = draw_rates(setting, rng)
    base, head = ((rng.random(shape) < rate[:, None]).astype(float) for rate in rates)
    head[(head == 0) & (rng.random(shape) < setting.lost)] = np.nan
    length = rng.lognormal(0, 0.35, setting.cases)[:, None]
    costs = [np.round(0.3 + 0.7 * length * rng.lognormal(0, 0.35, shape), 6) for _ in rates]
    slowness = [np.where(rng.random(shape) < setting.slow, 5.0, 1.0) for _ in rates]
    latencies = [rng.lognormal(6, setting.sigma, shape) * slow for slow in slowness]
    return Draws(
        passes=(base, head),
        costs=(costs[0], costs[1]),
        latencies=(latencies[0], latencies[1]),
        true_drop=float((rates[0] - rates[1]).mean()),
    )


def draw_rates(setting: Setting, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
    """Return each case's chance of passing at base and at head."""
    always, never, a, b = PROFILES[setting.profile]
    never = 0.0 if setting.sound else never
    kind = rng.random(setting.cases)
    base = np.where(kind < always, 1.0, np.where(kind < always + never, 0.0, rng.beta(a, b, setting.cases)))
    head = base.copy()
    count = round(setting.broken * setting.cases)
    if count:
        able = np.flatnonzero(base > 0)
        head[rng.choice(able, size=min(count, len(able)), replace=False)] = 0.0
    return base, head
