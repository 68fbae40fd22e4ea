"""From the decisions about canaries to canary.md, which is also the job's summary."""

from dataclasses import dataclass
from datetime import datetime

from promptci.present.finding_text import canary as words
from promptci.present.finding_text.describe import describe
from promptci.report import templates
from promptci.requestlog.batch import RequestLog
from promptci.rollout.canary import CanaryDecision, CanaryOutcome
from promptci.rollout.metric_result import MetricResult

ORDER = tuple(CanaryOutcome)
SIGNS = {CanaryOutcome.PROMOTE: "✅", CanaryOutcome.WAIT: "⏳", CanaryOutcome.HOLD: "✋", CanaryOutcome.ROLL_BACK: "⏪"}


@dataclass(frozen=True, kw_only=True, slots=True)
class CanaryReport:
    """One evaluation of the canaries of an environment."""

    environment: str
    at: datetime
    decisions: tuple[CanaryDecision, ...]
    log: RequestLog
    applied: bool
    """Whether the shares were written."""

    @property
    def outcome(self) -> CanaryOutcome:
        """The most alarming outcome."""
        return max((decision.outcome for decision in self.decisions), key=ORDER.index, default=CanaryOutcome.WAIT)

    @property
    def changed(self) -> bool:
        """Whether a share differs from the one in the file."""
        return any(decision.share != decision.new_share for decision in self.decisions)

    @property
    def exit_code(self) -> int:
        """1 if something is rolled back, else 0."""
        return int(self.outcome is CanaryOutcome.ROLL_BACK)


def outcome_text(decision: CanaryDecision) -> str:
    """Return the outcome with its share, on one line."""
    if decision.share == decision.new_share:
        return f"{decision.outcome} at {decision.share:g}%" if decision.canary else str(decision.outcome)
    return f"{decision.outcome}: {decision.share:g}% → {decision.new_share:g}%"


def finding_texts(decision: CanaryDecision) -> list[str]:
    """Return the findings behind a decision, in words."""
    return [describe(finding).text for finding in decision.findings]


def markdown(record: CanaryReport) -> str:
    """Render canary.md."""
    template = templates.environment().get_template("markdown/canary.md.j2")
    return template.render(
        record=record, signs=SIGNS, words=words, sentence=outcome_text, texts=finding_texts, status=metric_status
    )


def metric_status(metric: MetricResult) -> str:
    """Return in a word or two what is known of a metric."""
    if metric.regressed:
        return "worse"
    if metric.drop is None:
        return "no data"
    return "within the limit" if metric.within_limit else "open"
