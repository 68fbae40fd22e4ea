"""Import ahead what a run needs later, in threads: what asks while it is planned, what decides while it is asked."""

import contextlib
import importlib
import threading

MODULES = (
    "promptci.gates.decide",
    "promptci.scoring.comparison",
    "promptci.evaluation.explanation",
    "promptci.evaluation.results",
    "promptci.evaluation.sign_off",
    "promptci.report.build.prompt_view",
    "promptci.report.html.page",
    "promptci.report.html.class_table",
    "promptci.report.html.line_diff",
    "promptci.report.markdown.highlights",
    "promptci.report.text.metrics",
    "promptci.report.text.cases.case_highlights",
)
"""In the order of their use. Each is imported lazily where it is used; without this, all would be after the answers."""
TEMPLATES = ("html/report.html.j2", "markdown/comment.md.j2")


def prepare_asking(kind: str) -> None:
    """Import what asks an endpoint, in a thread: most of that time goes into reading certificates, without the GIL."""
    if kind == "openai":
        threading.Thread(target=_import_quietly, args=("aiohttp",), name="before-asking", daemon=True).start()


def _import_quietly(name: str) -> None:
    with contextlib.suppress(Exception):
        importlib.import_module(name)


def prepare_report() -> None:
    """Import the modules and load the templates; what cannot be loaded is an error where it is used."""
    with contextlib.suppress(Exception):
        for name in MODULES:
            importlib.import_module(name)
        templates = importlib.import_module("promptci.report.templates").environment()
        for name in TEMPLATES:
            templates.get_template(name)
