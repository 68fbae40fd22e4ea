"""Publish annotations, outputs, step summary, comment and status; a failure of one does not stop the others."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TextIO

from promptci.errors import PromptciError
from promptci.lazy_dataclass import dataclass
from promptci.publish import check_run, comment, commit_status, footer
from promptci.publish.annotation import Annotation
from promptci.publish.github.api import CheckRun, GitHub, GitHubError, State
from promptci.publish.runner import workflow_commands
from promptci.publish.runner.context import ActionContext
from promptci.publish.runner.event import PULL_REQUEST_EVENTS
from promptci.redact import Redactor
from promptci.verdict import Verdict

MAX_ANNOTATIONS = 10
"""The runner shows ten of each level for a step."""


ON_GITHUB = frozenset({"the comment was not posted", "the commit status was not set", "the check run was not made"})
"""Parts that are written to GitHub's servers, by the note of their failure."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Publication:
    """All texts and values to publish."""

    verdict: Verdict
    exit_code: int
    headline: str
    """One line, for the commit status."""
    comment_md: str
    short_comment_md: str
    """Sent if GitHub finds the comment too long."""
    summary_md: str
    annotations: tuple[Annotation, ...]
    outputs: Mapping[str, str]
    overridden: str = ""
    """Who let the blocked change through and why, for the commit status; empty: nobody."""


def publish_all(
    context: ActionContext, publication: Publication, github: GitHub | None, out: TextIO
) -> tuple[str, ...]:
    """Publish the result on GitHub, and return notes on what could not be published.

    A part that fails leaves the others and the verdict as they are. The token and the key are taken out of
    everything once more here, whatever was done before.
    """
    clean = Redactor([context.inputs["github-token"], context.inputs["api-key"]]).redact
    parts: dict[str, Callable[[], Iterator[str]]] = {
        "the outputs were not written": lambda: _write_outputs(context, publication, clean),
        "the annotations were not written": lambda: _write_annotations(publication, out, clean),
        "the step summary was not written": lambda: _write_summary(context, publication, clean),
        "the comment was not posted": lambda: _publish_comment(context, publication, github, clean),
        "the commit status was not set": lambda: _publish_status(context, publication, github, clean),
        "the check run was not made": lambda: _publish_check_run(context, publication, github, clean),
    }
    notes: list[str] = []
    if _is_outdated(context, github):
        notes.append("the pull request has a newer commit: comment, status and check run are left to its run")
        parts = {lost: part for lost, part in parts.items() if lost not in ON_GITHUB}
    for lost, part in parts.items():
        try:
            notes += part()
        except (PromptciError, OSError, ValueError) as error:
            notes.append(f"{lost}: {error}")
    return tuple(workflow_commands.safe_line(clean(note)) for note in notes)


def _is_outdated(context: ActionContext, github: GitHub | None) -> bool:
    """Return whether the pull request has moved on since this run was started; False if GitHub does not say."""
    writes = context.inputs["comment"] != "off" or context.is_enabled("status") or context.is_enabled("check-run")
    if github is None or context.pull_request is None or context.event not in PULL_REQUEST_EVENTS or not writes:
        return False
    try:
        return github.pull(context.pull_request).head_sha != context.head_sha
    except GitHubError:
        return False


def _write_outputs(context: ActionContext, publication: Publication, clean: Callable[[str], str]) -> Iterator[str]:
    if context.output_path:
        values = {name: clean(value) for name, value in publication.outputs.items()}
        workflow_commands.set_outputs(context.output_path, values)
    yield from ()


def _write_annotations(publication: Publication, out: TextIO, clean: Callable[[str], str]) -> Iterator[str]:
    omitted = 0
    for level in ("error", "warning", "notice"):
        same = [remark for remark in publication.annotations if remark.level == level]
        omitted += max(len(same) - MAX_ANNOTATIONS, 0)
        for remark in islice(same, MAX_ANNOTATIONS):
            line = workflow_commands.annotation(
                remark.level, clean(remark.path), remark.line, clean(remark.title), clean(remark.message)
            )
            out.write(line + "\n")
    out.flush()
    if omitted:
        yield f"{omitted} more annotations are in the report only: GitHub shows {MAX_ANNOTATIONS} of a kind"


def _write_summary(context: ActionContext, publication: Publication, clean: Callable[[str], str]) -> Iterator[str]:
    if context.summary_path:
        workflow_commands.append_summary(context.summary_path, clean(publication.summary_md))
    yield from ()


def _publish_comment(
    context: ActionContext, publication: Publication, github: GitHub | None, clean: Callable[[str], str]
) -> Iterator[str]:
    if context.pull_request is None or context.inputs["comment"] == "off" or not context.is_change:
        return
    if github is None:
        yield "no token: the comment was not posted"
        return
    is_news = publication.verdict is not Verdict.NO_CHANGE
    marker = comment.Marker(
        key=context.check_name,
        run=context.run_id,
        attempt=context.run_attempt,
        head=context.head_sha,
        verdict=publication.verdict,
    )
    below = footer.render_footer(context, footer.find_moved_base(context, github) if is_news else None)
    full, short = (clean(text).rstrip() + below for text in (publication.comment_md, publication.short_comment_md))
    if context.inputs["comment"] == "sticky":
        published = comment.publish_sticky(
            github, context.pull_request, full, marker, fallback_body=short, create=is_news
        )
    elif is_news:
        published = comment.add_comment(github, context.pull_request, full, marker, fallback_body=short)
    else:
        return
    if published.note:
        yield published.note


def _publish_status(
    context: ActionContext, publication: Publication, github: GitHub | None, clean: Callable[[str], str]
) -> Iterator[str]:
    if github is None or not context.is_enabled("status"):
        return
    status = commit_status.CommitStatus(
        state=_state(publication),
        context=context.check_name,
        description=clean(publication.overridden or publication.headline),
        target_url=context.attempt_url,
    )
    note = commit_status.publish_status(github, context.head_sha, status)
    if note:
        yield note


def _state(publication: Publication) -> State:
    overridden = bool(publication.overridden) and publication.exit_code == 0
    return commit_status.status_state(publication.verdict, publication.exit_code != 0, overridden=overridden)


def _publish_check_run(
    context: ActionContext, publication: Publication, github: GitHub | None, clean: Callable[[str], str]
) -> Iterator[str]:
    if not context.is_enabled("check-run"):
        return
    if github is None:
        yield "no token: the check run was not made"
        return
    summary = clean(publication.comment_md)
    run = CheckRun(
        sha=context.head_sha,
        name=context.check_name,
        conclusion="success" if _state(publication) == "success" else "failure",
        title=workflow_commands.safe_line(clean(publication.overridden or publication.headline))[
            : check_run.MAX_TITLE_CHARS
        ],
        summary=summary if len(summary) <= check_run.MAX_SUMMARY_CHARS else clean(publication.short_comment_md),
        external_id=f"{context.run_id}-{context.run_attempt}",
        details_url=context.run_url,
    )
    note = check_run.publish_check_run(
        github, run, [check_run.clean_annotation(each, clean) for each in publication.annotations]
    )
    if note:
        yield note
