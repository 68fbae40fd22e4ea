"""report.json is the view and nothing else: it comes back as it went, and anything else is refused with reasons."""

import hashlib
import json

import jsonschema
import pydantic_core
import pytest
from support.daily import some_daily
from support.gold_files import Gold
from support.report_situations import SITUATIONS

from promptci.errors import InputError
from promptci.report.model import document
from promptci.report.model.report import ReportView


@pytest.mark.parametrize("situation", some_daily(SITUATIONS, 15))
def test_a_report_comes_back_as_it_was_written(situation: str) -> None:
    view = SITUATIONS[situation]()
    text = document.dump(view)
    assert ReportView.parse(text, "report.json") == view
    assert document.dump(ReportView.parse(text, "report.json")) == text


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    """Return what checks reports by their schema, which is itself checked once."""
    schema = ReportView.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("situation", some_daily(SITUATIONS, 12))
def test_a_report_keeps_to_its_schema(situation: str, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(json.loads(document.dump(SITUATIONS[situation]())))


def test_the_schema_that_travels_with_the_package_is_up_to_date(gold: Gold) -> None:
    schema = json.dumps(ReportView.json_schema(), indent=2) + "\n"
    if gold.update:
        document.SCHEMA_FILE.write_text(schema, encoding="utf-8")
    assert document.SCHEMA_FILE.read_text(encoding="utf-8") == json.dumps(ReportView.json_schema(), indent=2) + "\n", (
        "run pytest --update-gold"
    )


def test_a_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(ReportView.json_schema())


def test_the_promised_keys_are_there_and_unknown_is_null() -> None:
    written = json.loads(document.dump(SITUATIONS["cost_unknown"]()))
    assert {"schema", "verdict", "exit_code", "base", "head", "prompts", "spend"} <= written.keys()
    (prompt,) = written["prompts"]
    assert {
        "name",
        "path",
        "status",
        "verdict",
        "cases",
        "pairs",
        "errors",
        "quality",
        "regressions",
        "fixes",
    } <= prompt.keys()
    assert prompt["cost_usd"] == {
        "base_per_request": None,
        "head_per_request": None,
        "delta_per_month": None,
        "requests_per_day": None,
        "own_price": False,
    }


def test_keys_stand_in_the_order_of_the_model() -> None:
    assert list(json.loads(document.dump(SITUATIONS["regressed"]())))[:3] == ["schema", "promptci_version", "verdict"]


def problems(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        ReportView.parse(text, "out/report.json")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "out/report.json:1: not valid JSON"),
        ('{"a":\n 1,}', "out/report.json:2: not valid JSON"),
        ("[" * 100_000, "nested deeper than"),
        ("1" * 5000, "a whole number is over 64 bits"),
        ("-1e300", "a number is over 1e+15"),
        ("[]", "`schema` is null, expected `promptci/report/v1`"),
        ('{"schema": "promptci/report/v9"}', '`schema` is "promptci/report/v9", expected `promptci/report/v1`'),
    ],
)
def test_what_is_no_report_is_refused_with_the_reason(text: str, message: str) -> None:
    (result,) = problems(text)
    assert message in result
    assert "Pass a report.json as promptci wrote it" in result


def test_every_wrong_field_is_named_with_its_place() -> None:
    written = json.loads(document.dump(SITUATIONS["regressed"]()))
    written["verdict"] = "splendid"
    written["prompts"][0]["cases"] = "many"
    written["surprise"] = 1
    result = "\n".join(problems(json.dumps(written)))
    for place in ("`verdict`:", "`prompts.0.cases`:", "`surprise`:"):
        assert place in result


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(number: str) -> None:
    written = document.dump(SITUATIONS["regressed"]()).replace('"usd": 0.0312', f'"usd": {number}')
    assert any("JSON" in problem or "number" in problem for problem in problems(written))


def test_not_more_than_twenty_findings_are_listed() -> None:
    written = json.loads(document.dump(SITUATIONS["regressed"]()))
    written["prompts"] = [{}] * 100
    assert len(problems(json.dumps(written))) == 20


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_pieces_of_a_report_are_the_whole(situation: str) -> None:
    view = SITUATIONS[situation]()
    mocked = view.model_copy(update={"notes": [*view.notes, '"case_details": []', '\n      "case_details": []']})

    for report_view in (view, mocked):
        assert document.dump(report_view) == dump_whole(report_view)


def dump_whole(view: ReportView) -> str:
    """Return report.json as the model serialises it: indented, unless that is too large."""
    indented = view.model_dump_json(by_alias=True, indent=2) + "\n"
    return indented if len(indented.encode()) <= document.MAX_INDENTED_BYTES else dump_compact(view)


def dump_compact(view: ReportView) -> str:
    """Return report.json without blanks, and without keys of cases at their default."""
    values = view.model_dump(mode="json", by_alias=True)
    for prompt, written in zip(view.prompts, values["prompts"], strict=True):
        written["case_details"] = [case.model_dump(mode="json", exclude_defaults=True) for case in prompt.case_details]
    return pydantic_core.to_json(values).decode() + "\n"


def test_a_report_of_many_cases_is_cut_between_them() -> None:
    view = SITUATIONS["regressed"]()
    (prompt, *_) = view.prompts
    many = [
        prompt.case_details[0].model_copy(update={"id": f"case-{n}"}) for n in range(2 * document.CASES_PER_PIECE + 1)
    ]
    grown = view.model_copy(update={"prompts": [prompt.model_copy(update={"case_details": many})]})

    assert document.dump(grown) == dump_whole(grown)


def test_a_large_report_is_written_without_blanks() -> None:
    view = SITUATIONS["regressed"]()
    (prompt, *_) = view.prompts
    mocked = prompt.case_details[0].model_copy(update={"input": '"case_details":[] ' * 40_000})
    grown = view.model_copy(
        update={"notes": ['"case_details":[]'], "prompts": [prompt.model_copy(update={"case_details": [mocked] * 3})]}
    )

    report = document.serialize(grown)
    assert len(report.text) > document.MAX_INDENTED_BYTES
    assert report.text == dump_compact(grown)
    assert ReportView.parse(report.text, "report.json") == grown


def test_a_large_report_keeps_to_the_schema_which_names_the_default_of_each_key_that_is_left_out() -> None:
    view = SITUATIONS["regressed"]()
    (prompt, *_) = view.prompts
    case = prompt.case_details[0].model_copy(update={"input": "x" * document.MAX_INDENTED_BYTES, "tags": []})
    grown = view.model_copy(update={"prompts": [prompt.model_copy(update={"case_details": [case]})]})

    written = json.loads(document.dump(grown))
    schema = ReportView.json_schema()
    jsonschema.validate(written, schema)
    (short,) = written["prompts"][0]["case_details"]
    left_out = case.model_dump(mode="json").keys() - short.keys()
    assert {"flaky", "tags", "weight"} <= left_out
    described = schema["$defs"]["CaseView"]
    assert not left_out & set(described["required"])
    assert {name: described["properties"][name]["default"] for name in left_out} == {
        name: case.model_dump(mode="json")[name] for name in left_out
    }


def test_a_report_is_inspected_in_whole_values() -> None:
    pieces: list[str] = []
    report = document.serialize(SITUATIONS["several_prompts"](), pieces.append)
    assert "".join(pieces) == report.text
    assert hashlib.sha256(report.text.encode()).hexdigest() == report.digest
