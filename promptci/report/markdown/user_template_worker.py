"""Render a comment by a user's template, in the process that `user_template` starts."""

import contextlib
import json
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError

from promptci.report import templates
from promptci.report.markdown import markdown_renderer
from promptci.report.model.report import ReportView

if sys.platform != "win32":
    import resource

MAX_CPU_SECONDS = 10
MAX_EXTRA_MEMORY = 2**30
"""Bytes in addition to those in use when the template starts."""


def main() -> None:
    """Read one job from standard input, write the result to standard output: `text`, or `error`."""
    job = json.loads(sys.stdin.buffer.read().decode("utf-8", errors="surrogatepass"))
    view = ReportView.parse(job["view"], "report.json")
    _set_limits()
    sys.stdout.write(json.dumps(render_job(job, view)))


def render_job(job: Mapping[str, Any], view: ReportView) -> dict[str, str]:
    """Return the `text` of a comment by the template of a job, or an `error`."""
    try:
        template = templates.sandbox().from_string(job["text"])
        return {"text": markdown_renderer.render_comment(view, spare=job["spare"], template=template)}
    except TemplateSyntaxError as error:
        return {"error": f"{error.filename or job['path']}:{error.lineno}: {error.message}"}
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        return {"error": f"{job['path']}:{_line(error)}: {error}"}
    except (MemoryError, RecursionError):
        return {"error": f"{job['path']}: takes too much memory"}


def _line(error: Exception) -> int:
    """Return the line in the template, which Jinja puts into the traceback."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<template>"]
    return (lines[-1] if lines else None) or 1


def _set_limits() -> None:
    """Limit time, files and memory; memory on Linux alone. On Windows `user_template` limits the time."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        with contextlib.suppress(FileNotFoundError):  # macOS has no such file, and takes no limit of addresses
            used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + MAX_EXTRA_MEMORY, used + MAX_EXTRA_MEMORY))
