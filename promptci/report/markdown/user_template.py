"""A comment by the user's own template: drawn in a process of its own, with little time and memory and no secrets."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import promptci
from promptci.report.model import document
from promptci.report.model.report import ReportView

LONGEST_S = 20.0
LARGEST_TEMPLATE = 200_000
"""Characters."""
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from promptci.report import own_comment_child as c; c.main()"


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnTemplate:
    """A template of the repository."""

    path: str
    """In the repository, for messages."""
    text: str


class Unusable(Exception):  # noqa: N818 - it names what the template is
    """The template cannot be used; the message says where and why."""


def draw(view: ReportView, template: OwnTemplate, *, spare: int = 0) -> str:
    """Give the comment as the template has it.

    Parameters
    ----------
    view
        The run, without secrets.
    template
        Jinja, seeing what our own comment's template sees; commonly it extends `markdown/comment.md.j2`.
    spare
        Bytes to leave for what others put around the text.

    Raises
    ------
    Unusable
        With file, line and reason.
    """
    if len(template.text) > LARGEST_TEMPLATE:
        raise Unusable(f"{template.path} is longer than {LARGEST_TEMPLATE:,} characters")
    told = json.dumps({"view": document.dump(view), "path": template.path, "text": template.text, "spare": spare})
    home = Path(promptci.__file__).parents[1]
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, str(home)],
            input=told.encode("utf-8", errors="surrogatepass"),
            env={},
            cwd="/",
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unusable(f"{template.path} takes longer than {LONGEST_S:g} seconds") from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise Unusable(f"{template.path} takes too much time or memory") from None
    if "error" in answer:
        raise Unusable(str(answer["error"]))
    return str(answer["text"])
