"""What shows that a version was tested: its entry in a report.json."""

from hashlib import sha256
from pathlib import Path

from promptci.documents.document import read_bounded
from promptci.documents.report_document import PromptSummary, QualitySummary, ReportSummary
from promptci.lazy_dataclass import dataclass
from promptci.wording import count

MAX_ROUNDING = 1e-6
"""Error up to which a product of a share and a number of cases is a whole number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """A result of the gate for one fingerprint."""

    verdict: str
    source: str
    """Where it stands, such as the path of a report."""
    digest: str | None = None
    """SHA-256 of the report."""
    result: str = ""
    """Quality and cases, in words."""
    gap: str = ""
    """What the run lacks, in words: answers, or the cases that were left out; empty: it is complete."""

    @property
    def passes(self) -> bool:
        """Whether it is a result that allows a release."""
        return self.verdict == "pass" and not self.gap

    @property
    def name(self) -> str:
        """The verdict, and what the run lacks, in words."""
        return f"{self.verdict}, {self.gap}" if self.gap else self.verdict


def read_report(path: Path) -> dict[str, Evidence]:
    """Return the results of a report, by the fingerprint of the version that was tested.

    Raises
    ------
    InputError
        Where the file is no report.
    """
    data = read_bounded(path, str(path), max_bytes=ReportSummary.MAX_BYTES, hint=ReportSummary.HINT)
    digest = sha256(data).hexdigest()
    report = ReportSummary.parse(data, str(path))
    is_filtered = any(problem.rule == "filtered" for problem in report.problems)
    return {
        prompt.head_fingerprint: Evidence(
            verdict=prompt.verdict,
            source=str(path),
            digest=digest,
            result=describe_result(prompt),
            gap="of a part of the cases" if is_filtered else describe_gap(prompt.errors),
        )
        for prompt in report.prompts
        if prompt.head_fingerprint
    }


def describe_evidence(evidence: Evidence | None, because: str) -> str:
    """Return on what a version is released: a result that passes, else the reason that somebody gave."""
    if evidence and evidence.passes:
        return f"{evidence.verdict}, {evidence.result}, by {evidence.source}"
    return f"{evidence.name if evidence else 'no result'}; released because: {because}"


def describe_gap(errors: int) -> str:
    """Return how many answers a run lacks, in words; empty where it has all."""
    if not errors:
        return ""
    return f"{count(errors, 'answer')} {'is' if errors == 1 else 'are'} missing"


def describe_result(prompt: PromptSummary) -> str:
    """Return how a version did, in words: `11 of 12 cases right (91.7%), -1.2 points: a drop over 4 is excluded`.

    The bound is the one that decided: of these very cases where they decide, else of inputs like them.
    """
    version = prompt.head
    share = count(prompt.cases, "case")
    if version is not None and version.quality is not None:
        measure = "mean score" if version.quality_interval is None else "pass rate"
        is_single = version.evaluated == prompt.cases
        share = describe_share(version.quality, prompt.cases, measure, is_single=is_single)
    return share if prompt.quality is None else f"{share}, {_describe_change(prompt.quality)}"


def describe_share(quality: float | None, cases: int, measure: str | None, *, is_single: bool = False) -> str:
    """Return the quality of one version in words: `11 of 12 cases right (91.7%)`; the cases alone where it is unknown.

    Only where each case has a single answer and none is weighted, the share is a number of cases.
    """
    if quality is None:
        return count(cases, "case")
    if measure == "mean score":
        return f"mean score {quality:.3g} over {count(cases, 'case')}"
    percent, right = f"{round(100 * quality, 1):g}%", quality * cases
    if is_single and abs(right - round(right)) < MAX_ROUNDING:
        return f"{round(right):,} of {count(cases, 'case')} right ({percent})"
    return f"right {percent} of the time, {count(cases, 'case')}"


def _describe_change(quality: QualitySummary) -> str:
    """Return the change against the version before, and how large a drop is still possible."""
    change = f"{100 * quality.delta:+.1f} points"
    if quality.on_goldens is not None:
        bound = quality.on_goldens.max_drop
        return f"{change}: a drop over {100 * bound:.1f} is excluded" if bound is not None else change
    if quality.interval is None:
        return change
    low, high = (100 * end for end in quality.interval)
    return f"{change}: between {low:+.1f} and {high:+.1f} for inputs like these"
