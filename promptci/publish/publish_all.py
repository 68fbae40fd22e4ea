"""Tell GitHub everything at once: annotations, outputs, step summary, comment, status; each apart from the others."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TextIO

from promptci.errors import PromptciError
from promptci.publish import check_run, comment, commit_status, footer
from promptci.publish.annotation import Annotation
from promptci.publish.github.api import CheckRun, GitHub
from promptci.publish.runner import workflow_commands
from promptci.publish.runner.context import Context
from promptci.publish.runner.inputs import DEFAULTS
from promptci.redact import Redactor
from promptci.verdict import Verdict

MOST_ANNOTATIONS = 10
"""The runner shows ten of each level for a step."""
NAME = "promptci"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bulletin:
    """All that is to be told, already worded."""

    verdict: Verdict
    exit_code: int
    headline: str
    """One line, for the commit status."""
    comment_md: str
    short_comment_md: str
    """Sent where GitHub finds the comment too long."""
    summary_md: str
    annotations: tuple[Annotation, ...]
    outputs: Mapping[str, str]


def announce(context: Context, bulletin: Bulletin, github: GitHub | None, out: TextIO) -> tuple[str, ...]:
    """Tell GitHub, and give the notes of what could not be told.

    A part that fails leaves the others and the verdict as they are. The token and the key are taken out of
    everything once more here, whatever was done before.
    """
    clean = Redactor([context.inputs["github-token"], context.inputs["api-key"]]).redact
    parts: dict[str, Callable[[], Iterator[str]]] = {
        "the outputs were not written": lambda: _outputs(context, bulletin, clean),
        "the annotations were not written": lambda: _annotations(bulletin, out, clean),
        "the step summary was not written": lambda: _summary(context, bulletin, clean),
        "the comment was not posted": lambda: _comment(context, bulletin, github, clean),
        "the commit status was not set": lambda: _status(context, bulletin, github, clean),
        "the check run was not made": lambda: _check_run(context, bulletin, github, clean),
    }
    notes: list[str] = []
    for lost, part in parts.items():
        try:
            notes += part()
        except (PromptciError, OSError, ValueError) as error:
            notes.append(f"{lost}: {error}")
    return tuple(workflow_commands.safe_line(clean(note)) for note in notes)


def _outputs(context: Context, bulletin: Bulletin, clean: Callable[[str], str]) -> Iterator[str]:
    if context.output_path:
        values = {name: clean(value) for name, value in bulletin.outputs.items()}
        workflow_commands.set_outputs(context.output_path, values)
    yield from ()


def _annotations(bulletin: Bulletin, out: TextIO, clean: Callable[[str], str]) -> Iterator[str]:
    left = 0
    for level in ("error", "warning", "notice"):
        same = [remark for remark in bulletin.annotations if remark.level == level]
        left += max(len(same) - MOST_ANNOTATIONS, 0)
        for remark in islice(same, MOST_ANNOTATIONS):
            line = workflow_commands.annotation(
                remark.level, clean(remark.path), remark.line, clean(remark.title), clean(remark.message)
            )
            out.write(line + "\n")
    out.flush()
    if left:
        yield f"{left} more annotations are in the report only: GitHub shows {MOST_ANNOTATIONS} of a kind"


def _summary(context: Context, bulletin: Bulletin, clean: Callable[[str], str]) -> Iterator[str]:
    if context.summary_path:
        workflow_commands.append_summary(context.summary_path, clean(bulletin.summary_md))
    yield from ()


def _comment(context: Context, bulletin: Bulletin, github: GitHub | None, clean: Callable[[str], str]) -> Iterator[str]:
    if context.pull_request is None or context.inputs["comment"] == "off":
        return
    if github is None:
        yield "no token: the comment was not posted"
        return
    is_news = bulletin.verdict is not Verdict.NO_CHANGE
    marker = comment.Marker(
        key=context.inputs["config"], run=context.run_id, attempt=context.run_attempt, head=context.head_sha
    )
    below = footer.foot(context, footer.base_moved_to(context, github) if is_news else None)
    full, short = (clean(text).rstrip() + below for text in (bulletin.comment_md, bulletin.short_comment_md))
    if context.inputs["comment"] == "sticky":
        published = comment.publish(github, context.pull_request, full, marker, fallback_body=short, create=is_news)
    elif is_news:
        published = comment.add(github, context.pull_request, full, marker, fallback_body=short)
    else:
        return
    if published.note:
        yield published.note


def _status(context: Context, bulletin: Bulletin, github: GitHub | None, clean: Callable[[str], str]) -> Iterator[str]:
    if github is None or not context.switch("status"):
        return
    status = commit_status.Status(
        state=commit_status.state(bulletin.verdict, bulletin.exit_code != 0),
        context=_name(context),
        description=clean(bulletin.headline),
        target_url=context.run_url,
    )
    note = commit_status.publish_status(github, context.head_sha, status)
    if note:
        yield note


def _check_run(
    context: Context, bulletin: Bulletin, github: GitHub | None, clean: Callable[[str], str]
) -> Iterator[str]:
    if not context.switch("check-run"):
        return
    if github is None:
        yield "no token: the check run was not made"
        return
    summary = clean(bulletin.comment_md)
    run = CheckRun(
        sha=context.head_sha,
        name=_name(context),
        conclusion=commit_status.conclusion(bulletin.verdict, bulletin.exit_code != 0),
        title=workflow_commands.safe_line(clean(bulletin.headline))[: check_run.LONGEST_TITLE],
        summary=summary if len(summary) <= check_run.LONGEST_SUMMARY else clean(bulletin.short_comment_md),
        external_id=f"{context.run_id}-{context.run_attempt}",
        details_url=context.run_url,
    )
    note = check_run.publish_check_run(github, run, [check_run.cleaned(each, clean) for each in bulletin.annotations])
    if note:
        yield note


def _name(context: Context) -> str:
    """Give the name by which branch protection knows this configuration's verdict."""
    config = context.inputs["config"]
    return NAME if config == DEFAULTS["config"] else f"{NAME} ({config})"
