"""Any view that the model allows is drawn, however odd: a report.json may come from anywhere."""

import types
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue
from support.report_outputs import render_output

from promptci.report.model import document
from promptci.report.model.report import ReportView
from promptci.report.write import OUTPUTS

SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=12),
    float: st.floats(-ReportView.MAX_NUMBER, ReportView.MAX_NUMBER),
    int: st.integers(-5, int(ReportView.MAX_NUMBER)),
    bool: st.booleans(),
    type(None): st.none(),
}
SIMPLE[JsonValue] = st.one_of(*SIMPLE.values(), st.lists(SIMPLE[str], max_size=2))


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Return values of a field's type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in SIMPLE:
        return SIMPLE[kind]
    if origin is Annotated:
        return st.floats(0, 1)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(values, arguments))
    if origin in (list, Sequence):
        return st.lists(values(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=3)
    if origin is tuple:
        return st.tuples(*map(values, arguments))
    return models(kind)


def models(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Return models with any value in every field."""
    hints = get_type_hints(model, include_extras=True)
    fields = {field.alias or name: values(hints[name]) for name, field in model.model_fields.items()}
    return st.fixed_dictionaries(fields).map(model.model_validate)


@pytest.mark.long
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(models(ReportView))
def test_any_view_is_drawn_in_every_form_and_comes_back_from_its_json(view: ReportView) -> None:
    for name in OUTPUTS:
        render_output(name, view).encode()
    assert ReportView.parse(document.dump(view), "report.json") == view
