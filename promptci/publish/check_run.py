"""The check run: the report among a commit's checks, with a remark at each prompt that did not pass."""

from collections.abc import Callable, Sequence

from promptci.publish.annotation import Annotation
from promptci.publish.github.api import CheckRun, Forbidden, GitHub, GitHubError, Remark
from promptci.publish.runner.workflow_commands import safe_line

MAX_REMARKS_PER_REQUEST = 50
"""Remarks that GitHub accepts in one request."""
MAX_TITLE_CHARS = 255
MAX_MESSAGE_BYTES = 64_000
"""Bytes; GitHub accepts 64 KB."""
MAX_SUMMARY_CHARS = 65_535
LEVELS = {"error": "failure", "warning": "warning", "notice": "notice"}
"""Levels of the runner, and those of check runs."""
BEYOND = 0xFFFF


def publish_check_run(github: GitHub, run: CheckRun, annotations: Sequence[Annotation]) -> str | None:
    """Create the check run, with remarks in batches of 50; what GitHub refuses becomes a note."""
    remarks = [to_remark(annotation) for annotation in annotations]
    added = 0
    try:
        number = github.create_check_run(run, remarks[:MAX_REMARKS_PER_REQUEST])
        added = min(MAX_REMARKS_PER_REQUEST, len(remarks))
        while added < len(remarks):
            batch = remarks[added : added + MAX_REMARKS_PER_REQUEST]
            github.add_remarks(number, run, batch, added)
            added += len(batch)
    except Forbidden as error:
        return (
            "the check run was not made: the token may not write it. Give the job `permissions: checks: write`; "
            f"a personal token cannot make one. GitHub says: {error.message}"
        )
    except GitHubError as error:
        lost = f"the check run has {added} of {len(remarks)} annotations" if added else "the check run was not made"
        return f"{lost}: {error}"
    return None


def to_remark(annotation: Annotation) -> Remark:
    """Return an annotation as GitHub wants it."""
    line = annotation.line or 1
    return {
        "path": safe_line(annotation.path),
        "start_line": line,
        "end_line": line,
        "annotation_level": LEVELS[annotation.level],
        "title": _plane(safe_line(annotation.title))[:MAX_TITLE_CHARS],
        "message": _clip_text(_plane("\n".join(map(safe_line, annotation.message.splitlines())))) or "-",
    }


def clean_annotation(annotation: Annotation, clean: Callable[[str], str]) -> Annotation:
    """Return the annotation with each text cleaned."""
    return Annotation(
        path=clean(annotation.path),
        line=annotation.line,
        level=annotation.level,
        title=clean(annotation.title),
        message=clean(annotation.message),
    )


def _plane(text: str) -> str:
    """Escape characters beyond U+FFFF: annotations do not accept them."""
    return "".join(sign if ord(sign) <= BEYOND else f"\\U{ord(sign):08x}" for sign in text)


def _clip_text(text: str) -> str:
    return text.encode("utf-8")[:MAX_MESSAGE_BYTES].decode("utf-8", errors="ignore")
