from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.goldens.model import Assertion, Case, GoldenSet
from promptci.pipeline.collection import plan_prompt
from promptci.pipeline.collection.prompt_version import PromptVersion
from promptci.pipeline.plan import questions
from promptci.prompts.evaluators import Choice, LlmEvaluator, StringEvaluator
from promptci.prompts.model import Message, Prompt
from promptci.runs.prompt_plan import Arm, PlannedCase, PromptPlan, Status


def prompt(text: str = "Say {{word}}", **options: Any) -> Prompt:
    messages = (Message(role="user", content=text),)
    return Prompt(**{"name": "p", "path": "prompts/p.prompt.yml", "model": "m", "messages": messages, **options})


def case(case_id: str, word: str = "hi", **options: Any) -> Case:
    return Case(**{"id": case_id, "vars": {"word": word}, "path": "goldens/p.jsonl", "line": 7, **options})


def goldens(*cases: Case) -> GoldenSet:
    return GoldenSet(paths=("goldens/p.jsonl",), cases=cases)


def planned(
    before: tuple[Prompt, GoldenSet] | None, after: tuple[Prompt, GoldenSet] | None, status: Status = Status.CHANGED
) -> PromptPlan:
    base, head = (side and PromptVersion(prompt=side[0], goldens=side[1]) for side in (before, after))
    return plan_prompt.plan_prompt("p", "prompts/p.prompt.yml", status, base, head, ["prompt changed"])


def times(count: int) -> Callable[[PlannedCase], int]:
    """Ask every case so often."""
    return lambda _case: count


def changes(plan: PromptPlan) -> dict[str, str]:
    return {planned_case.case.id: planned_case.change for planned_case in plan.task.cases}


# --- what an answer must satisfy


def test_a_case_with_expected_and_nothing_else_must_equal_it() -> None:
    assert plan_prompt.effective(case("a", expected="x"), prompt()).assertions == (Assertion(type="equals"),)


def test_a_case_with_assertions_has_these_only() -> None:
    own = (Assertion(type="contains", value="x"),)

    assert plan_prompt.effective(case("a", expected="x", assertions=own), prompt()).assertions == own


def test_a_case_without_anything_to_satisfy_has_no_assertion() -> None:
    assert plan_prompt.effective(case("a"), prompt()).assertions == ()


@pytest.mark.parametrize(
    ("operator", "kind", "options"),
    [
        ("equals", "equals", {"trim": "response"}),
        ("contains", "icontains", {}),
        ("startsWith", "starts-with", {"ignore_case": True}),
        ("endsWith", "ends-with", {"ignore_case": True}),
    ],
)
def test_a_string_evaluator_becomes_the_assertion_of_its_meaning(
    operator: str, kind: str, options: dict[str, Any]
) -> None:
    evaluator = StringEvaluator(name="check it", operator=operator, value="{{expected}}")

    (assertion,) = plan_prompt.effective(case("a", expected="x"), prompt(evaluators=(evaluator,))).assertions
    assert assertion == Assertion(
        type=kind, value="{{expected}}", options=options, name="check it", evaluator=f"string: {operator}"
    )


def test_an_llm_evaluator_becomes_an_assertion_that_carries_it_whole() -> None:
    evaluator = LlmEvaluator(
        name="judge it",
        model="big",
        prompt="Is {{completion}} good?",
        system_prompt="Be fair.",
        choices=(Choice(choice="yes", score=1.0), Choice(choice="no", score=0.0)),
        last_line=True,
    )

    (assertion,) = plan_prompt.effective(case("a"), prompt(evaluators=(evaluator,))).assertions
    assert (assertion.type, assertion.name) == ("llm", "judge it")
    assert assertion.value == {
        "model": "big",
        "prompt": "Is {{completion}} good?",
        "system_prompt": "Be fair.",
        "choices": [{"choice": "yes", "score": 1.0}, {"choice": "no", "score": 0.0}],
        "last_line": True,
    }


def test_evaluators_come_after_the_case_s_own_assertions_and_keep_its_other_fields() -> None:
    own = Assertion(type="contains", value="x")
    evaluator = StringEvaluator(name="e", operator="equals", value="y")
    full = case("a", assertions=(own,), tags=("t",), critical=True, cluster="c", weight=2.0)

    golden_case = plan_prompt.effective(full, prompt(evaluators=(evaluator,)))
    assert [a.type for a in golden_case.assertions] == ["contains", "equals"]
    assert (golden_case.tags, golden_case.critical, golden_case.cluster, golden_case.weight, golden_case.line) == (
        ("t",),
        True,
        "c",
        2.0,
        7,
    )


def test_a_case_knows_the_last_user_message_of_its_prompt_and_stays_the_same_where_that_changes() -> None:
    turns = [("user", "Hi"), ("assistant", "Hello"), ("user", "About {{word}}?"), ("assistant", "It is")]
    messages = tuple(Message(role=role, content=content) for role, content in turns)
    before = plan_prompt.effective(case("a", expected="x"), prompt(messages=messages))
    after = plan_prompt.effective(case("a", expected="x"), prompt("Say {{word}}"))
    system_only = prompt(messages=(Message(role="system", content="Be brief."),))

    assert (before.question, after.question) == ("About {{word}}?", "Say {{word}}")
    assert before.digest == after.digest
    assert plan_prompt.effective(case("a"), system_only).question is None


# --- what the change did to each case


def test_cases_pair_by_id_and_say_what_the_change_did_to_them() -> None:
    prompt_plan = planned(
        (prompt(), goldens(case("same"), case("reworded"), case("eased", expected="x"), case("gone"))),
        (prompt("Repeat {{word}}"), goldens(case("new", "fresh"), case("eased"), case("reworded", "ho"), case("same"))),
    )

    assert [(c.case.id, c.change) for c in prompt_plan.task.cases] == [
        *[(case_id, "same") for case_id in ("same", "reworded", "eased", "gone")],
        ("reworded (edited)", "changed"),
        ("eased (edited)", "changed"),
        ("new", "new"),
    ]
    assert prompt_plan.task.cases[2].case.expected == "x", "base's expectation decides"
    assert prompt_plan.change.removed_cases == ("gone",)
    assert prompt_plan.change.loosened_cases == ("eased",)


def test_a_case_that_is_no_longer_critical_may_be_easier_though_its_text_is_the_same() -> None:
    prompt_plan = planned((prompt(), goldens(case("a", critical=True))), (prompt(), goldens(case("a"))))

    assert (changes(prompt_plan), prompt_plan.change.loosened_cases) == ({"a": "changed"}, ("a",))


def test_an_evaluator_that_changed_changes_the_cases_it_judges() -> None:
    before = prompt(evaluators=(StringEvaluator(name="e", operator="equals", value="x"),))
    after = prompt(evaluators=(StringEvaluator(name="e", operator="contains", value="x"),))
    prompt_plan = planned((before, goldens(case("a"))), (after, goldens(case("a"))))

    assert (changes(prompt_plan), prompt_plan.change.loosened_cases) == ({"a": "changed"}, ("a",))


def test_what_cannot_change_a_mark_leaves_the_case_the_same() -> None:
    prompt_plan = planned(
        (prompt(), goldens(case("a", line=1, tags=("x",)))),
        (prompt(), goldens(case("a", line=9, path="goldens/other.jsonl"))),
    )

    assert (changes(prompt_plan), prompt_plan.change.loosened_cases) == ({"a": "same"}, ())


def test_all_cases_of_an_added_prompt_are_new() -> None:
    prompt_plan = planned(None, (prompt(), goldens(case("a"), case("b"))), Status.ADDED)

    assert changes(prompt_plan) == {"a": "new", "b": "new"}
    assert (prompt_plan.change.base, prompt_plan.change.removed_cases, prompt_plan.change.missing_goldens) == (
        None,
        (),
        False,
    )


def test_a_deleted_prompt_has_no_cases() -> None:
    prompt_plan = planned((prompt(), goldens(case("a"))), None, Status.DELETED)

    assert (prompt_plan.task.cases, prompt_plan.change.removed_cases, prompt_plan.change.head) == ((), ("a",), None)
    assert questions.plan_questions(prompt_plan, times(1)) == questions.PromptQuestions(questions=())


def test_a_prompt_without_goldens_is_told_from_one_whose_cases_were_all_removed() -> None:
    none = planned((prompt(), goldens(case("a"))), (prompt(), GoldenSet(paths=(), cases=())))
    emptied = planned((prompt(), goldens(case("a"))), (prompt(), goldens()))

    assert (none.change.missing_goldens, emptied.change.missing_goldens) == (True, False)
    assert none.change.removed_cases == emptied.change.removed_cases == ("a",)


# --- the questions


def test_both_versions_are_asked_side_by_side_with_the_case_s_variables_filled_in() -> None:
    prompt_plan = planned(
        (prompt(parameters={"temperature": 0}), goldens(case("a", "x"))),
        (prompt("Repeat {{word}}", model="m2"), goldens(case("a", "x"))),
    )
    planned_ = questions.plan_questions(prompt_plan, times(1))
    asked, problems, notes = planned_.questions, planned_.problems, planned_.notes

    by_arm = {question.arm: question for question in asked}
    assert by_arm[Arm.BASE].request.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Say x"}],
        "temperature": 0,
    }
    assert by_arm[Arm.HEAD].request.body == {"model": "m2", "messages": [{"role": "user", "content": "Repeat x"}]}
    assert (problems, notes) == ((), ())


def test_a_changed_case_is_asked_of_both_versions_in_head_s_words() -> None:
    prompt_plan = planned((prompt(), goldens(case("a", "old"))), (prompt(), goldens(case("a", "new"))))
    asked = questions.plan_questions(prompt_plan, times(1)).questions

    assert [question.request.messages[0]["content"] for question in asked] == ["Say new", "Say new"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"response_format": "json_object"}, {"type": "json_object"}),
        (
            {"response_format": "json_schema", "json_schema": {"name": "n", "schema": {}}},
            {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
        ),
    ],
)
def test_the_response_format_is_spelled_as_the_api_does(fields: dict[str, Any], expected: Any) -> None:
    asked = questions.plan_questions(planned(None, (prompt(**fields), goldens(case("a")))), times(1)).questions

    assert asked[0].request.response_format == expected


@given(count=st.integers(1, 30), repeats=st.integers(1, 4))
def test_every_pair_stands_together_and_each_question_is_there_once(count: int, repeats: int) -> None:
    cases = goldens(*(case(str(i), str(i)) for i in range(count)))
    asked = questions.plan_questions(
        planned((prompt(), cases), (prompt("Repeat {{word}}"), cases)), times(repeats)
    ).questions

    assert len(asked) == len({question.key for question in asked}) == 2 * count * repeats
    for first, second in zip(asked[::2], asked[1::2], strict=True):
        assert (first.case_id, first.replicate) == (second.case_id, second.replicate)
        assert {first.arm, second.arm} == {Arm.BASE, Arm.HEAD}


def test_each_version_goes_first_about_half_the_time_and_the_same_way_every_run() -> None:
    cases = goldens(*(case(str(i)) for i in range(400)))
    prompt_plan = planned((prompt(), cases), (prompt("Repeat {{word}}"), cases))
    asked = questions.plan_questions(prompt_plan, times(1)).questions

    first = Counter(question.arm for question in asked[::2])
    assert 160 < first[Arm.HEAD] < 240
    assert questions.plan_questions(prompt_plan, times(1)).questions == asked


def test_a_variable_that_cases_lack_is_named_for_each_with_file_and_line() -> None:
    cases = goldens(case("a", line=3), case("b", line=4, vars={"name": "x", "word": "y"}))
    problems = questions.plan_questions(planned(None, (prompt("Say {{word}} to {{name}}"), cases)), times(2)).problems

    (problem,) = problems
    assert (problem.path, problem.line) == ("goldens/p.jsonl", 3)
    assert problem.message == "case `a` has no variable `name`, which prompts/p.prompt.yml uses"
    assert "Add `name`" in problem.hint
    assert "take it out of the prompt" in problem.hint


def test_a_variable_that_the_prompt_misspells_is_named_with_the_one_that_the_cases_have() -> None:
    cases = goldens(case("a", vars={"question": "x"}))
    (problem,) = questions.plan_questions(planned(None, (prompt("Answer {{qestion}}"), cases)), times(1)).problems
    assert problem.hint.startswith(
        "If `question` is meant, rename it in the goldens, or in the prompt; else add `qestion`"
    )


def test_a_variable_missing_everywhere_gives_a_list_that_can_be_read() -> None:
    cases = goldens(*(case(str(i)) for i in range(500)))
    problems = questions.plan_questions(planned(None, (prompt("{{new}}"), cases)), times(1)).problems

    assert [problem.message.split()[1] for problem in problems] == ["`0`", "`1`", "`2`"]
    assert problems[-1].message.endswith("(497 more cases have the same problem)")


def test_a_case_of_base_that_lacks_a_new_variable_is_a_problem_that_says_what_to_do() -> None:
    before = (prompt("Say {{old}}"), goldens(case("a", vars={"old": "x"})))
    after = (prompt("Say {{word}}"), goldens(case("a")))
    (problem,) = questions.plan_questions(planned(before, after), times(1)).problems

    assert problem.message == "case `a` has no variable `word`, which prompts/p.prompt.yml uses"
    assert "in a pull request of its own" in problem.hint


def test_a_user_message_that_no_file_states_is_explained_where_its_variable_is_missing() -> None:
    text = "Classify the message."
    messages = (Message(role="system", content=text), Message(role="user", content="{{input}}"))
    plain = prompt(messages=messages, path="prompts/p.txt", source=text)
    mail = Case(id="a", vars={"message": "hi"}, path="goldens/p.csv", line=2)
    (problem,) = questions.plan_questions(planned(None, (plain, goldens(mail)), Status.ADDED), times(1)).problems

    assert (
        problem.message
        == "case `a` has no variable `input`, which follows the text of prompts/p.txt as the user message"
    )
    assert problem.hint == (
        'Rename `message` to `input` in the goldens, or set `prompts.user: "{{message}}"` in promptci.yml.'
        " A text that uses `{{message}}` itself is the whole prompt, and nothing follows it."
    )


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        (
            "SYSTEM_PROMPT",
            "Sum up: {{text}}",
            "Set `prompts.user: false` in promptci.yml, or take `system` out of the name `SYSTEM_PROMPT`, so that",
        ),
        ("SYSTEM", "Sum up.", 'Rename `text` to `input` in the goldens, or set `prompts.user: "{{text}}"` in'),
        ("p", "Sum up: {{text}}", "has `text` in it already. Set `prompts.user: false` in promptci.yml, so that"),
    ],
)
def test_a_user_message_is_not_added_to_a_text_that_has_the_variable(name: str, text: str, advice: str) -> None:
    messages = (Message(role="system", content=text), Message(role="user", content="{{input}}"))
    plain = prompt(name=name, messages=messages, path="app.py", source=text)
    own = Case(id="a", vars={"text": "hi"}, path="goldens/p.csv", line=2)
    (problem,) = questions.plan_questions(planned(None, (plain, goldens(own)), Status.ADDED), times(1)).problems

    assert advice in problem.hint
    assert "itself is the whole prompt" not in problem.hint


def test_base_is_not_asked_a_new_case_that_lacks_its_variables() -> None:
    before = (prompt("Say {{old}}"), goldens(case("a", vars={"old": "x", "word": "x"})))
    after = (prompt("Say {{word}}"), goldens(case("a", vars={"old": "x", "word": "x"}), case("b")))
    prompt_questions = questions.plan_questions(planned(before, after), times(1))

    assert Counter((question.case_id, question.arm) for question in prompt_questions.questions) == Counter(
        [("a", Arm.BASE), ("a", Arm.HEAD), ("b", Arm.HEAD)]
    )
    assert prompt_questions.notes == ("p: the base version is not asked of 1 case, which lacks its variables (b)",)


def test_what_stands_in_a_variable_is_not_a_template_again() -> None:
    hostile = case("a", vars={"word": "{{secret}}", "secret": "hidden"})
    asked = questions.plan_questions(planned(None, (prompt(), goldens(hostile))), times(1)).questions

    assert asked[0].request.messages[0]["content"] == "Say {{secret}}"
