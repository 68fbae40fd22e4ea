"""Import what decides and reports while the first answers are awaited, when the processor has nothing else to do."""

import contextlib
import importlib

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


def prepare_report() -> None:
    """Import the modules and load the templates; what cannot be loaded is an error where it is used."""
    with contextlib.suppress(Exception):
        for name in MODULES:
            importlib.import_module(name)
        templates = importlib.import_module("promptci.report.templates").environment()
        for name in TEMPLATES:
            templates.get_template(name)
