"""No secret reaches any output, whichever text it hides in."""

import base64
import json

from support.report_outputs import render_output
from support.report_situations import REFUND
from support.run_notation import comparison, many, problem, prompt, report

from promptci.redact import Redactor
from promptci.report.build.view import redact_view
from promptci.report.write import OUTPUTS

SECRET = "canary-4f9a8b7c6d5e<&\"'"


def test_a_secret_in_any_text_is_gone_from_every_output() -> None:
    rows = f"{SECRET} | {SECRET} | {SECRET} | {SECRET} | {SECRET}!\nlost | Hi | yes | yes | !{SECRET}\n" + many(
        broken=8
    )
    report_view = report(
        comparison(rows, name=f"p {SECRET}", kind="one-of", head=prompt("p", f"text {SECRET}"), notes=(SECRET,)),
        comparison(REFUND, removed_cases=(SECRET,), loosened_cases=(SECRET,), why=(SECRET,)),
        notes=(SECRET,),
        provider=SECRET,
        gate_source=SECRET,
        problems=[problem("input", f"HTTP 401: {SECRET}")],
    )
    clean = redact_view(report_view, Redactor([SECRET]))
    for name in OUTPUTS:
        text = render_output(name, clean)
        assert "[redacted]" in text.replace("\\[", "[").replace("\\]", "]"), name
        for form in (
            SECRET,
            json.dumps(SECRET)[1:-1],
            base64.b64encode(SECRET.encode()).decode(),
            "canary-4f9a8b7c6d5e",
        ):
            assert form not in text, name


def test_what_looks_like_a_key_is_gone_too() -> None:
    report_view = report(comparison("a | Hi | yes | yes | sk-proj-abcdefghijklmnopqrstuvwxyz012345"))
    assert "sk-proj-abc" not in redact_view(report_view, Redactor()).text


def test_a_view_without_secrets_stays_as_it_is() -> None:
    report_view = report(comparison(many(right=31, broken=27)))
    assert redact_view(report_view, Redactor([SECRET])).view == report_view
