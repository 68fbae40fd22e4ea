"""Describe what the goldens of each prompt can decide, before anything is asked."""

from collections.abc import Iterator, Sequence

from promptci.compare.case_power import Asking
from promptci.config.model import Config
from promptci.gates.selftest import power_analysis
from promptci.present import formatting
from promptci.runs.prompt_plan import PromptPlan

ASSUMED_DISCORDANCE = 0.05
"""Share of cases that change their verdict by themselves, where nothing is measured."""
ASSUMED_SPREAD = 0.2
"""Standard deviation of a case's difference in scores, likewise."""


def describe_goldens(plans: Sequence[PromptPlan], config: Config) -> Iterator[str]:
    """Yield a sentence for each prompt that has golden cases."""
    for plan in plans:
        cases = [planned.case for planned in plan.task.cases]
        if not cases:
            continue
        graded = any(case.is_graded for case in cases)
        analysis = power_analysis.analyze_power(
            cases,
            ASSUMED_SPREAD**2 if graded else ASSUMED_DISCORDANCE,
            drop=config.gate.max_drop,
            asking=Asking(repeats=config.run.repeats, max_calls=config.run.auto_calls),
            graded=graded,
            policy=config.gate,
        )
        critical = sum(case.critical for case in cases)
        also = f", and a break of its {formatting.count(critical, 'critical case')}" if critical else ""
        text = f"{plan.name}: {formatting.count(len(cases), 'golden case')}"
        if analysis.smallest_drop is None:
            yield f"{text} cannot show a drop of any size{also.replace(', and', ', only')}"
        else:
            yield f"{text} can show a drop of {formatting.points(analysis.smallest_drop)} or more{also}"
