"""Words on whether judges can be trusted: probes, the order of the answers, and answers that address the judge."""

from collections.abc import Sequence

from promptci.present import formatting
from promptci.report.model import json_safe
from promptci.report.model.report import JudgeProbeView
from promptci.scoring.judges.pairwise import PositionBias
from promptci.scoring.judges.probes import ProbeOutcome
from promptci.scoring.prompt_run import PromptRun


def build_judge_checks_view(run: PromptRun) -> JudgeProbeView | None:
    """Return the view of the checks of a prompt's judges; None if none of them was checked."""
    if not run.probes and run.position_bias is None:
        return None
    return JudgeProbeView(
        probes=[json_safe.text(probe_sentence(outcome)) for outcome in run.probes],
        position_bias=None if run.position_bias is None else position_bias_sentence(run.position_bias),
    )


def probe_sentence(outcome: ProbeOutcome) -> str:
    """Return how a judge scored useless answers."""
    asked = formatting.count(outcome.asked, "useless answer")
    if outcome.compromised:
        names = ", ".join(dict.fromkeys(outcome.passed))
        result = f"{len(outcome.passed)} of {asked} passed ({names}), so it is not trusted"
    elif outcome.untested:
        result = f"none of {asked} got a mark, so it is not trusted"
    else:
        result = f"none of {asked} passed"
    some = f"; {outcome.unscored} got no mark" if outcome.unscored and not outcome.untested else ""
    return f"{outcome.judge}: {result}{some}"


def position_bias_sentence(outcome: PositionBias) -> str:
    """Return how often the verdict changed when the answers changed places."""
    pairs = formatting.count(outcome.pairs, "pair")
    return f"the verdict changed with it on {outcome.flipped} of {pairs} ({formatting.percent(outcome.rate)})"


def injection_warning(names: Sequence[str]) -> str:
    """Ask a person to read an answer that carries what looks like an attack."""
    return f"Looks like an attack on the judge ({', '.join(names)}): read it yourself."
