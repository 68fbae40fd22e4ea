"""Draws a comment by a user's template; runs in a process of its own, which `own_comment` starts."""

import json
import resource
import sys
import traceback

from jinja2 import TemplateError, TemplateSyntaxError

from promptci.present import templates
from promptci.report.markdown import markdown_renderer
from promptci.report.model import document

CPU_S = 10
MEMORY = 2**30
"""Bytes beyond what is in use when the template begins."""


def main() -> None:
    """Read one job from standard input, write the answer to standard output: `text`, or `error` in words."""
    job = json.loads(sys.stdin.buffer.read().decode("utf-8", errors="surrogatepass"))
    view = document.load(job["view"], "report.json")
    _limit()
    try:
        template = templates.sandboxed().from_string(job["text"])
        answer = {"text": markdown_renderer.comment(view, spare=job["spare"], template=template)}
    except TemplateSyntaxError as error:
        answer = {"error": f"{error.filename or job['path']}:{error.lineno}: {error.message}"}
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        answer = {"error": f"{job['path']}:{_line(error)}: {error}"}
    except (MemoryError, RecursionError):
        answer = {"error": f"{job['path']}: takes too much memory"}
    sys.stdout.write(json.dumps(answer))


def _line(error: Exception) -> int:
    """Give the template's line: Jinja rewrites the traceback so that it speaks of templates."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<template>"]
    return (lines[-1] if lines else None) or 1


def _limit() -> None:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - not a file to keep
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
