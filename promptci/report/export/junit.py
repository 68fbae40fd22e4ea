"""ReportView -> junit.xml: one suite per prompt, one test per case at head."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from promptci.present.escape import clip, one_line, visible
from promptci.report.model.report import AnswerView, CaseView, FindingView, PromptView, ReportView

MAX_TEXT_CHARS = 2000
"""Characters of an answer."""


def render(view: ReportView) -> str:
    """Render the XML. A broken case is a failure, a missing answer an error, a case that was not asked is skipped.

    A case that was already wrong before does not fail the suite, because this change did not break it; every wrong case
    of a new prompt fails. A problem of the whole run is an error in a suite of its own, so that no tool takes a file
    without tests for a success.
    """
    suites = ET.Element("testsuites", {"name": "promptci"})
    if problems := [problem for problem in view.problems if problem.verdict == "error"]:
        suites.append(_run(problems))
    suites.extend(_suite(prompt) for prompt in view.prompts)
    for key in ("tests", "failures", "errors"):  # the format has no total of skipped tests
        suites.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _run(problems: Sequence[FindingView]) -> ET.Element:
    suite = ET.Element("testsuite", {"name": "promptci"})
    for problem in problems:
        test = ET.SubElement(suite, "testcase", {"classname": "promptci", "name": one_line(problem.rule)})
        ET.SubElement(test, "error", {"message": one_line(clip(problem.text, MAX_TEXT_CHARS))})
    return _set_counts(suite)


def _set_counts(suite: ET.Element) -> ET.Element:
    tests = suite.findall("testcase")
    for key, tag in (("tests", None), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(key, str(sum(tag is None or test.find(tag) is not None for test in tests)))
    return suite


def _suite(prompt: PromptView) -> ET.Element:
    suite = ET.Element("testsuite", {"name": one_line(prompt.name), "file": one_line(prompt.path)})
    suite.extend(_test(case, prompt) for case in prompt.case_details)
    return _set_counts(suite)


def _test(case: CaseView, prompt: PromptView) -> ET.Element:
    test = ET.Element("testcase", {"classname": one_line(prompt.name), "name": one_line(case.id)})
    answer = case.head
    if answer is not None and answer.latency_ms is not None:
        test.set("time", f"{answer.latency_ms / 1000:.3f}")
    if answer is None:
        ET.SubElement(test, "skipped", {"message": "not asked at head"})
    elif case.excluded_reason is not None:
        ET.SubElement(test, "skipped", {"message": one_line(clip(case.excluded_reason, MAX_TEXT_CHARS))})
    elif case.head_pass_rate is None:
        error = ET.SubElement(
            test, "error", {"message": one_line(clip(answer.error or "not evaluated", MAX_TEXT_CHARS))}
        )
        error.text = _case_text(case, answer)
    elif _fails(case, prompt):
        failure = ET.SubElement(test, "failure", {"message": _message(case, prompt, answer)})
        failure.text = _case_text(case, answer)
    return test


def _fails(case: CaseView, prompt: PromptView) -> bool:
    if case.excluded_reason is not None:
        return False
    if prompt.base is None:
        return case.head_pass_rate is not None and case.head_pass_rate < 1
    return case.change == "same" and case.outcome == "broken"


def _message(case: CaseView, prompt: PromptView, answer: AnswerView) -> str:
    wrong = [f"{mark.name}: {mark.reason}" for mark in answer.marks if mark.passed is False]
    outcome = "wrong" if prompt.base is None else "right before, wrong after"
    critical = "critical case, " if case.critical else ""
    return one_line(clip(f"{critical}{outcome}: {'; '.join(wrong)}".rstrip(": "), MAX_TEXT_CHARS))


def _case_text(case: CaseView, answer: AnswerView) -> str:
    parts = [("input", case.input), ("expected", case.expected), ("before", case.base.text if case.base else None)]
    parts.append(("after", answer.text))
    return "\n".join(f"{name}: {clip(visible(text), MAX_TEXT_CHARS)}" for name, text in parts if text is not None)
