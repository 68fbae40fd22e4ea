"""Render a comment by the user's own template, in a process with little time and memory and no secrets."""

import json
import os
import subprocess
import sys
from pathlib import Path

import promptci
from promptci.lazy_dataclass import dataclass
from promptci.report.model.document import SerializedReport

MAX_SECONDS = 20.0
MAX_TEMPLATE_CHARS = 200_000
"""Characters."""
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    " from promptci.report.markdown import user_template_worker as worker; worker.main()"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class UserTemplate:
    """A template of the repository."""

    path: str
    """In the repository, for messages."""
    text: str


class UnusableTemplateError(Exception):
    """The template cannot be used; the message says where and why."""


def render_user_template(report: SerializedReport, template: UserTemplate, *, spare: int = 0) -> str:
    """Render the comment by the template.

    Parameters
    ----------
    report
        The run, redacted.
    template
        Jinja with the same variables as our own template; usually it extends `markdown/comment.md.j2`.
    spare
        Bytes to leave for what is put around the text.

    Raises
    ------
    Unusable
        With file, line and reason.
    """
    if len(template.text) > MAX_TEMPLATE_CHARS:
        raise UnusableTemplateError(f"{template.path} is longer than {MAX_TEMPLATE_CHARS:,} characters")
    job = json.dumps({"view": report.text, "path": template.path, "text": template.text, "spare": spare})
    package_root = Path(promptci.__file__).parents[1]
    try:
        process = subprocess.run(
            [sys.executable, "-c", _PROGRAM, str(package_root)],
            input=job.encode("utf-8", errors="surrogatepass"),
            env={name: os.environ[name] for name in os.environ.keys() & {"SYSTEMROOT"}},  # Windows needs it
            cwd=package_root.anchor,
            capture_output=True,
            timeout=MAX_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnusableTemplateError(f"{template.path} takes longer than {MAX_SECONDS:g} seconds") from None
    try:
        answer = json.loads(process.stdout)
    except ValueError:
        raise UnusableTemplateError(f"{template.path} takes too much time or memory") from None
    if "error" in answer:
        raise UnusableTemplateError(str(answer["error"]))
    return str(answer["text"])
