"""Build what is published on GitHub: texts, annotations and outputs, from the outcome of a request."""

import os
from pathlib import Path

from promptci.app.requests import RunResult
from promptci.present import escape
from promptci.publish.annotation import Annotation
from promptci.publish.comment import FRAME_BYTES
from promptci.publish.publish_all import Publication
from promptci.publish.runner.workflow_commands import OUTPUTS
from promptci.report.export import sarif
from promptci.report.markdown import markdown_renderer
from promptci.report.model.report import ReportView
from promptci.report.text import provenance
from promptci.verdict import Verdict


def build_publication(outcome: RunResult, root: Path) -> Publication:
    """Return the publication of a run that wrote a report; paths in it are relative to `root`, the workspace.

    The container sees the workspace under another name than the steps after it do.
    """
    view, paths = outcome.view, outcome.paths
    if view is None or paths is None:
        raise ValueError("a dry run has nothing to announce")
    return Publication(
        verdict=Verdict(view.verdict),
        exit_code=outcome.exit_code,
        headline=view.headline,
        comment_md=outcome.comment or markdown_renderer.render_comment(view, spare=FRAME_BYTES),
        short_comment_md=markdown_renderer.render_short_comment(view),
        summary_md=markdown_renderer.render_summary(view),
        annotations=(*_file_annotations(outcome), *_prompt_annotations(view)),
        outputs={
            "verdict": view.verdict,
            "regressions": str(sum(len(prompt.regressions) for prompt in view.prompts)),
            "fixes": str(sum(len(prompt.fixes) for prompt in view.prompts)),
            "quality-delta": _output_number(_worst_delta(view)),
            "cost-delta-per-month": _output_number(_cost(view)),
            "report-path": _relative(paths.html.parent, root),
            "comment-path": _relative(paths.comment, root),
            "overridden-by": view.override.by if view.override else "",
            "override-reason": escape.one_line(view.override.reason) if view.override else "",
        },
        overridden=provenance.summarize_override(view.override) if view.override else "",
    )


def build_cancelled(folder: Path, root: Path) -> Publication:
    """Return the publication of a cancelled run: an error, whatever was answered so far."""
    headline = "Cancelled before there was a verdict. What was answered so far is in the journal."
    return Publication(
        verdict=Verdict.ERROR,
        exit_code=130,
        headline=headline,
        comment_md=headline,
        short_comment_md=headline,
        summary_md=f"**promptci: error.** {headline}",
        annotations=(Annotation(path="", line=None, level="error", title="promptci: cancelled", message=headline),),
        outputs={**dict.fromkeys(OUTPUTS, ""), "verdict": "error", "report-path": _relative(folder, root)},
    )


def shard_outputs(folder: Path, root: Path) -> dict[str, str]:
    """Return the outputs of one part of a run that was split: where it is, and no verdict."""
    return {**dict.fromkeys(OUTPUTS, ""), "report-path": _relative(folder, root)}


def _relative(path: Path, root: Path) -> str:
    return os.path.relpath(path.resolve(), root.resolve())


def _file_annotations(outcome: RunResult) -> list[Annotation]:
    """Point at each mistake in a file."""
    return [
        Annotation(path=p.path, line=p.line, level="error", title="promptci: file", message=f"{p.message}. {p.hint}")
        for p in outcome.problems
    ]


def _prompt_annotations(view: ReportView) -> list[Annotation]:
    """Point at each prompt that did not pass, at the first line that the change touched."""
    return [
        Annotation(
            path=prompt.path,
            line=sarif.first_changed_line(prompt),
            level=sarif.FINDING_LEVELS[prompt.verdict],
            title=f"promptci: {prompt.name}: {prompt.verdict}",
            message=prompt.sentence,
        )
        for prompt in view.prompts
        if prompt.verdict in sarif.FINDING_LEVELS
    ]


def _worst_delta(view: ReportView) -> float | None:
    """Return the largest drop among the prompts that were compared (the smallest rise where none dropped)."""
    return min((prompt.quality.delta for prompt in view.prompts if prompt.quality is not None), default=None)


def _cost(view: ReportView) -> float | None:
    """Add up the monthly differences; unknown as soon as one compared prompt's is."""
    deltas = [prompt.cost_usd.delta_per_month for prompt in view.prompts if prompt.quality is not None]
    return None if not deltas or None in deltas else sum(delta for delta in deltas if delta is not None)


def _output_number(value: float | None) -> str:
    """Write a number for an output; empty where it is unknown, which is not 0."""
    return "" if value is None else f"{value:.4f}"
