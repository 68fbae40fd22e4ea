"""Write the comment of a run that could not: the second half of the recipe for forks.

The first workflow runs over a fork's commits without secrets and uploads its report. This job runs where the token
may write, and takes the report for what it is: text by whoever opened the pull request. It believes GitHub alone
about which pull request, which commit and which run it is, draws every word of the comment itself, and sets no status.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TextIO

from pydantic import Field

from promptci.documents.document import Document
from promptci.errors import UnsafeError, UsageError
from promptci.publish import publish_all
from promptci.publish.comment import FRAME_BYTES
from promptci.publish.github import artifact
from promptci.publish.github.api import GitHub, GitHubError
from promptci.publish.github.comment_recorder import CommentRecorder
from promptci.publish.publish_all import Publication
from promptci.publish.runner import event
from promptci.publish.runner.context import ActionContext
from promptci.report.markdown import markdown_renderer
from promptci.report.model.report import ReportView
from promptci.verdict import Verdict

WARNING = (
    "This report was written by a run over {owner} commit, without secrets. What it says is that run's own word; no "
    "commit status was set from it."
)


class CommentResult(Document):
    """What became of the comment of a run, or would become of it."""

    schema_: Literal["promptci/comment/v1"] = Field(default="promptci/comment/v1", alias="schema")
    pull_request: int | None = Field(default=None, description="null: none was found.")
    action: Literal["created", "updated", "none"] = Field(default="none", description="`none`: `notes` say why.")
    url: str | None = Field(default=None, description="Of the comment; null where it would be a new one.")
    body: str | None = Field(default=None, description="Text of the comment in Markdown; null where there is none.")
    notes: list[str] = Field(default=[], description="What could not be done, and why.")
    dry_run: bool = False

    def lines(self) -> Iterator[str]:
        """Yield what a person reads; after a dry run the text too."""
        yield from self.notes
        if self.action != "none":
            verb = "would be" if self.dry_run else "was"
            place = f": {self.url}" if self.url else ""
            yield f"the comment on pull request {self.pull_request} {verb} {self.action}{place}"
        if self.dry_run and self.body is not None:
            yield from self.body.splitlines()


def post_comment(
    source: Path, context: ActionContext, github: GitHub | None, out: TextIO, *, dry_run: bool = False
) -> CommentResult:
    """Post the comment of the report in `source`, but not in a dry run; the result says where nothing was posted.

    Raises
    ------
    UnsafeError, InputError
        If the report is invalid, or is about another commit than the run of the event.
    UsageError
        If the event is not the end of another workflow.
    """
    if context.event != "workflow_run":
        raise UsageError(f"The event is {context.event}", "A report of another run is posted at its `workflow_run`.")
    if event.get_nested(context.payload, "workflow_run", "event") not in ("pull_request", "pull_request_review"):
        note = "the run was not for a pull request: there is nothing to comment"
        return CommentResult(notes=[note], dry_run=dry_run)
    view = _read(source, context.head_sha)
    if github is None:
        raise UsageError("There is no token", "Give the input github-token, and `permissions: pull-requests: write`.")
    number, why_not = _pull_request(context, github, view)
    if number is None:
        return CommentResult(notes=[f"the comment was not posted: {why_not}"], dry_run=dry_run)
    run_context = _in_place_of_the_run(context, number)
    if dry_run:
        run_context = dataclasses.replace(run_context, summary_path=None)
    recorder = CommentRecorder(github, dry_run=dry_run)
    notes = publish_all.publish_all(run_context, _publication(view, context), recorder.as_github(), out)
    written = recorder.written
    if written is None:
        return CommentResult(pull_request=number, notes=list(notes) or [_explain_none(context)], dry_run=dry_run)
    return CommentResult(
        pull_request=number,
        action=written.action,
        url=written.url or None,
        body=written.body,
        notes=list(notes),
        dry_run=dry_run,
    )


def _explain_none(context: ActionContext) -> str:
    if context.inputs["comment"] == "off":
        return "no comment was posted: the input `comment` is `off`"
    return "no comment was posted: nothing changed, and there is no earlier comment to update"


def _read(source: Path, head_sha: str) -> ReportView:
    view = ReportView.parse(artifact.read_report_json(source), artifact.REPORT)
    if view.head.sha not in (head_sha, None):  # None: the run could not even begin, and says why
        raise UnsafeError(
            f"The report is about another commit than the run that wrote it, which was for {head_sha}",
            "Nothing was posted. Look at what that run's workflow did.",
        )
    return view


def _pull_request(context: ActionContext, github: GitHub, view: ReportView) -> tuple[int | None, str]:
    """Find the pull request by GitHub's data on the run; the report only chooses among those of the same commit."""
    run = context.payload["workflow_run"]
    owner = event.parse_text(event.get_nested(run, "head_repository", "owner", "login"))
    branch = event.parse_text(event.get_nested(run, "head_branch"))
    if owner is None or branch is None:
        return None, "the fork or its branch is gone"
    try:
        pulls = github.pulls_from(owner, branch)
    except GitHubError as error:
        return None, f"the pull request was not found: {error}"
    numbers = [pull.number for pull in pulls if pull.head_sha == context.head_sha]
    if not numbers:
        moved = "the pull request has moved on since; its next run comments"
        return None, moved if pulls else "there is no pull request of this commit"
    return (view.pull_request if view.pull_request in numbers else numbers[0]), ""


def _in_place_of_the_run(context: ActionContext, number: int) -> ActionContext:
    """Return the context of the run that wrote the report, so that older and newer comments can be ordered."""
    run = context.payload["workflow_run"]
    return dataclasses.replace(
        context,
        pull_request=number,
        run_id=event.parse_count(run.get("id")) or context.run_id,
        run_attempt=event.parse_count(run.get("run_attempt")) or 1,
        inputs={**context.inputs, "status": "false", "check-run": "false"},
        output_path=None,
    )


def _publication(view: ReportView, context: ActionContext) -> Publication:
    owner = "Dependabot's" if context.is_dependabot else "a fork's"
    warned = [WARNING.format(owner=owner)] if context.is_fork else []
    published_view = view.model_copy(update={"notes": [*warned, *view.notes], "override": None})
    return Publication(
        verdict=Verdict(view.verdict),
        exit_code=0,
        headline=view.headline,
        comment_md=markdown_renderer.render_comment(published_view, spare=FRAME_BYTES),
        short_comment_md=markdown_renderer.render_short_comment(published_view),
        summary_md=markdown_renderer.render_summary(published_view),
        annotations=(),
        outputs={},
    )
