"""From the decisions about canaries to canary.md, which is also the job's summary."""

import re
import shlex
from datetime import datetime
from typing import NamedTuple

from promptci.lazy_dataclass import dataclass
from promptci.present import templates
from promptci.present.finding_text import canary as words
from promptci.present.finding_text.describe import describe
from promptci.requestlog.batch import RequestLog
from promptci.rollout.canary import CanaryDecision, CanaryOutcome
from promptci.rollout.deployment import shorten_version
from promptci.rollout.judging.sample import JudgedSample
from promptci.rollout.metric_result import MetricResult
from promptci.wording import count

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
    samples: tuple[JudgedSample, ...] = ()
    """What the judge marked, of each prompt with a canary."""
    written: tuple[str, ...] = ()
    """What was written or pushed, and what follows, as lines for a person."""

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
        """1 if something is rolled back, else 4 where nothing was read or a sample could not be judged, else 0."""
        if self.outcome is CanaryOutcome.ROLL_BACK:
            return 1
        return 4 if self.lacks_log or not all(sample.is_usable for sample in self.samples) else 0

    @property
    def lacks_log(self) -> bool:
        """Whether no file was found for a canary that had begun before: before that the application may not log yet."""
        begun = (
            decision.progress.since < self.at for decision in self.decisions if decision.share and decision.progress
        )
        return not self.log.files and any(begun)


def log_text(record: CanaryReport) -> str:
    """Return what was read of the log and how much of it counts, on one line."""
    log = record.log
    starts = any(decision.progress and decision.progress.since == record.at for decision in record.decisions)
    if not log.files:
        return f"no file matches --log: nothing was read{'; at the next look this is an error' if starts else ''}"
    counted = count(sum(len(decision.window.requests) for decision in record.decisions), "request")
    reason = "; a step that begins now counts requests from now on" if starts else ""
    return f"log: {count(log.lines, 'line')} in {count(log.files, 'file')} read, {counted} counted{reason}"


def sample_text(sample: JudgedSample) -> str:
    """Return what became of a sample, on one line."""
    text = f"judge: {sample.state}"
    if sample.chosen:
        text += f", {sample.judged:,} of {count(sample.chosen, 'chosen answer')} marked"
    if sample.without_answer:
        text += f", {count(sample.without_answer, 'request')} without an answer in the file"
    return text + (f" ({sample.reason})" if sample.reason else "")


class Proposal(NamedTuple):
    """The pull request that makes a canary with all traffic the stable version."""

    branch: str
    title: str
    command: str


def propose_stable(decision: CanaryDecision, environment: str) -> Proposal | None:
    """Return the pull request that ends a canary which has reached all traffic; None for any other."""
    if decision.canary is None or decision.new_share != 100 or decision.share != 100:
        return None
    version = shorten_version(decision.prompt, decision.canary)
    name = f"{decision.prompt}@{version}"
    branch = "promptci/" + re.sub(r"[^A-Za-z0-9.-]+", "-", f"{decision.prompt}-{version}-{environment}")
    deploy = ["promptci", "deploy", name, "--env", environment, "--because", "the canary passed every step"]
    title = f"{name} is stable in {environment}"
    commands = [
        ["git", "switch", "--create", branch],
        deploy,
        ["git", "push", "--set-upstream", "origin", branch],
        ["gh", "pr", "create", "--title", title, "--body", "The canary passed every step."],
    ]
    return Proposal(branch=branch, title=title, command=" && ".join(shlex.join(words) for words in commands))


def outcome_text(decision: CanaryDecision) -> str:
    """Return the outcome with its share, on one line."""
    if decision.share == decision.new_share:
        return f"{decision.outcome} at {decision.share:g}%" if decision.canary else str(decision.outcome)
    return f"{decision.outcome}: {decision.share:g}% → {decision.new_share:g}%"


def finding_texts(decision: CanaryDecision) -> list[str]:
    """Return the findings behind a decision, in words."""
    return [describe(finding).text for finding in decision.findings]


def affected_text(decision: CanaryDecision) -> str | None:
    """Return what a canary that is rolled back answered until now; None for any other."""
    affected = decision.affected
    if affected is None:
        return None
    users = "" if affected.users is None else f" of {count(affected.users, 'user')}"
    return f"Affected: {count(affected.requests, 'request')}{users}, answered by the canary since this step began."


def markdown(record: CanaryReport) -> str:
    """Render canary.md."""
    template = templates.create_environment().get_template("markdown/canary.md.j2")
    return template.render(
        record=record,
        signs=SIGNS,
        words=words,
        sentence=outcome_text,
        texts=finding_texts,
        status=metric_status,
        propose=propose_stable,
        affected_text=affected_text,
        sample_texts={sample.prompt: sample_text(sample) for sample in record.samples},
    )


def metric_status(metric: MetricResult) -> str:
    """Return in a word or two what is known of a metric."""
    if metric.regressed:
        return "worse"
    if metric.drop is None:
        return "no data"
    return "within the limit" if metric.within_limit else "open"
