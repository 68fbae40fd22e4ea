"""Judges of a known kappa, measured by labels: how often they are trusted."""

import random

from support.shared_results import simulated_once

from promptci.scoring.judges import trust
from promptci.scoring.judges.trust import Calibration

SIMULATIONS = 3000
MIN_KAPPA = 0.6


@simulated_once
def share_trusted(kappa: float, *, labels: int, pass_rate: float, seed: int) -> float:
    """Share of calibrations after which a judge of this true kappa, which passes as often as people do, is trusted."""
    generator = random.Random(seed)  # noqa: S311 - a simulation
    agreement = kappa + (1 - kappa) * pass_rate  # chance that the judge passes what people pass
    false_pass = (1 - kappa) * pass_rate
    trusted = 0
    for _ in range(SIMULATIONS):
        pairs = []
        for _ in range(labels):
            people = generator.random() < pass_rate
            pairs.append((people, generator.random() < (agreement if people else false_pass)))
        trusted += trust.assess_trust(Calibration(pairs=tuple(pairs)), MIN_KAPPA).trusted
    return trusted / SIMULATIONS
