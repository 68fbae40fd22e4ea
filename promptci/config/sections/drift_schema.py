"""Schema of the section `drift`."""

from typing import Annotated

from pydantic import Field

from promptci.config.drift_options import DriftOptions, OnDrift
from promptci.config.sections.section import ConfigSection


class DriftSection(ConfigSection):
    """How `promptci drift` watches deployed prompts, whose model may change without a word."""

    alarms_per_year: Annotated[float, Field(gt=0, le=50)] = Field(
        default=1.0,
        description="False alarms a year of the whole repository. All prompts that are watched share them.",
    )
    on_drift: OnDrift = Field(
        default="alert",
        description="`alert`: open an issue. `canary`: also start the version that ran before as a canary. `rollback`:"
        " also go back to it, if it answers tonight's goldens better.",
    )
    keep_answers: bool = Field(
        default=False,
        description="Store each night's answers on the branch promptci/history for 35 nights. They are graded again "
        "when quality falls, to tell a judge that moved from a model that moved.",
    )
    pinned: dict[str, str] = Field(
        default={},
        description="By the name of a model: a version of it that does not change, such as "
        "`gpt-4o-mini: gpt-4o-mini-2024-07-18`. It is asked beside the alias when quality falls.",
    )


def build_drift_options(section: DriftSection) -> DriftOptions:
    """Return the options of a validated section."""
    return DriftOptions(
        alarms_per_year=section.alarms_per_year,
        on_drift=section.on_drift,
        keep_answers=section.keep_answers,
        pinned=dict(section.pinned),
    )
