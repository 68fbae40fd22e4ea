"""ReportView -> what `gh models eval --json` prints, for scripts that read it."""

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from promptci.lazy_dataclass import dataclass
from promptci.report.model import json_safe
from promptci.report.model.report import AnswerView, CaseView, PromptView, ReportView


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptFacts:
    """What a report does not say of a prompt."""

    description: str = ""
    model: str = ""
    test_cases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Variables by the id of the case, with `expected` where something is."""


def render(view: ReportView, facts: Mapping[str, PromptFacts]) -> str:
    """Return one object, or a list of them where the run has several prompts or none."""
    documents = [_describe(prompt, facts.get(prompt.name, PromptFacts())) for prompt in view.prompts]
    return json.dumps(documents[0] if len(documents) == 1 else documents, indent=2, ensure_ascii=False) + "\n"


def _describe(prompt: PromptView, facts: PromptFacts) -> dict[str, Any]:
    answered = [(case, case.head) for case in prompt.case_details if case.head is not None]
    results = [_describe_case(case, answer, facts) for case, answer in answered]
    passed = sum(bool(answer.passed) for _, answer in answered)
    return {
        "name": json_safe.text(prompt.name),
        "description": json_safe.text(facts.description),
        "model": facts.model,
        "testResults": results,
        "summary": {
            "totalTests": len(results),
            "passedTests": passed,
            "failedTests": len(results) - passed,
            # Nothing tested is nothing passed: `gh models eval` says 100 here.
            "passRate": round(100 * passed / len(results), 2) if results else None,
        },
    }


def _describe_case(case: CaseView, answer: AnswerView, facts: PromptFacts) -> dict[str, Any]:
    evaluations = [
        {"evaluatorName": mark.name, "score": mark.score, "passed": mark.passed, "details": mark.reason}
        for mark in answer.marks
    ]
    return {
        "testCase": json_safe.value(facts.test_cases.get(case.id, {"input": case.input, "expected": case.expected})),
        "modelResponse": answer.text if answer.text is not None else answer.error,
        "evaluationResults": evaluations,
    }
