"""ReportView -> junit.xml: one suite per prompt, one test per case at head."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from tempfile import SpooledTemporaryFile
from xml.etree import ElementTree as ET

from promptci.present.escape import clip, one_line, visible
from promptci.report.model.report import AnswerView, CaseView, FindingView, PromptView, ReportView

MAX_TEXT_CHARS = 2000
"""Characters of an answer."""
COUNTS = {"tests": None, "failures": "failure", "errors": "error", "skipped": "skipped"}
"""Attributes of a suite, with the element that a test of this kind has."""
MAX_SUITE_BYTES, CHUNK_CHARS = 2**20, 2**16
"""Larger suites are kept in a file, and read in such pieces."""


def xml_pieces(view: ReportView) -> Iterator[str]:
    """Yield the XML. A broken case is a failure, a missing answer an error, a case that was not asked is skipped.

    A case that was already wrong before does not fail the suite, because this change did not break it; every wrong case
    of a new prompt fails. A problem of the whole run is an error in a suite of its own, so that no tool takes a file
    without tests for a success.
    """
    # Counts stand before what is counted, and a large run has more text than memory: a file keeps it meanwhile.
    with ExitStack() as stack:
        suites: list[_Suite] = []
        if problems := [problem for problem in view.problems if problem.verdict == "error"]:
            suites.append(stack.enter_context(_Suite({"name": "promptci"})))
            suites[-1].add_all(map(_problem, problems))
        for prompt in view.prompts:
            names = {"name": one_line(prompt.name), "file": one_line(prompt.path)}
            suites.append(stack.enter_context(_Suite(names)))
            suites[-1].add_all(_test(case, prompt) for case in prompt.case_details)
        yield '<?xml version="1.0" encoding="UTF-8"?>\n'
        # The format has no total of skipped tests.
        totals = {key: str(sum(suite.counts[key] for suite in suites)) for key in COUNTS if key != "skipped"}
        yield from _wrap("testsuites", {"name": "promptci", **totals}, bool(suites), (s.pieces() for s in suites), 0)


class _Suite(AbstractContextManager["_Suite"]):
    """The tests of one prompt, as text."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.counts = dict.fromkeys(COUNTS, 0)
        self._names = names
        self._file = SpooledTemporaryFile(MAX_SUITE_BYTES, "w+", encoding="utf-8", newline="")  # noqa: SIM115 - see __exit__

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add_all(self, tests: Iterable[ET.Element]) -> None:
        for test in tests:
            for key, tag in COUNTS.items():
                self.counts[key] += tag is None or test.find(tag) is not None
            ET.indent(test, level=2)
            self._file.write(f"    {ET.tostring(test, encoding='unicode')}\n")

    def pieces(self) -> Iterator[str]:
        """Yield the suite as XML."""
        self._file.seek(0)
        counts = {key: str(count) for key, count in self.counts.items()}
        chunks = iter(lambda: self._file.read(CHUNK_CHARS), "")
        yield from _wrap("testsuite", {**self._names, **counts}, self.counts["tests"] > 0, [chunks], 1)


def _wrap(
    name: str, attributes: Mapping[str, str], is_filled: bool, content: Iterable[Iterable[str]], level: int
) -> Iterator[str]:
    """Yield an element around the text of its children, as ElementTree writes it."""
    start = ET.tostring(ET.Element(name, dict(attributes)), encoding="unicode")
    indent = "  " * level
    if not is_filled:
        yield f"{indent}{start}\n"
        return
    yield f"{indent}{start.removesuffix(' />')}>\n"
    for pieces in content:
        yield from pieces
    yield f"{indent}</{name}>\n"


def _problem(problem: FindingView) -> ET.Element:
    test = ET.Element("testcase", {"classname": "promptci", "name": one_line(problem.rule)})
    ET.SubElement(test, "error", {"message": one_line(clip(problem.text, MAX_TEXT_CHARS))})
    return test


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
