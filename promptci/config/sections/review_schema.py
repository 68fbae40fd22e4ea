"""Schema of the sections `merge_override` and `approvals`."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from promptci.config.policy import ApprovalRule, OverridePolicy
from promptci.config.sections.section import ConfigSection

_PERSON = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})|@?[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})/[A-Za-z0-9._-]{1,100}")


class MergeOverrideSection(ConfigSection):
    """How a blocked pull request may be merged all the same: with a label and a reason by somebody with the right."""

    label: Annotated[str, Field(min_length=1, max_length=50)] | None = Field(
        default=None,
        description="Label that overrides the gate for the present head commit, such as `promptci-override`; null: "
        "nothing can be overridden. See [overrides](overrides.md).",
    )
    permission: Literal["write", "maintain", "admin"] = Field(
        default="maintain", description="Least permission in the repository that the person needs."
    )
    own_change: bool = Field(default=False, description="Whether the author of the pull request may override.")
    errors: bool = Field(
        default=False, description="Whether a run may be overridden in which nothing was measured (`error`)."
    )
    approvals: bool = Field(default=False, description="Whether a missing approval may be overridden.")


class ApprovalRuleSection(ConfigSection):
    """People whose review a change of some prompts takes."""

    prompts: Annotated[str, Field(min_length=1, max_length=2000)] = Field(
        description="Glob of the prompt files, such as `prompts/clinical/**`; old and new path count."
    )
    role: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        description="Name of the approval, such as `medical-review`."
    )
    by: Annotated[list[str], Field(min_length=1, max_length=100)] = Field(
        description="Logins, and teams as `@organization/team`. They need write permission in the repository."
    )
    count: Annotated[int, Field(ge=1, le=20)] = Field(default=1, description="How many of them must approve.")
    risk: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\n\r]+$")] | None = Field(
        default=None,
        description="Risk class of these prompts, such as `high`: it stands in the tags of their releases, and so in"
        " the audit binder.",
    )

    @field_validator("by")
    @classmethod
    def _check_names(cls, names: list[str]) -> list[str]:
        for name in names:
            if not _PERSON.fullmatch(name):
                raise ValueError(f"{name!r} is neither a login nor a team such as @organization/team")
        return names


class ApprovalsSection(ConfigSection):
    """Reviews that a change of some prompts takes, besides the gate."""

    rules: Annotated[list[ApprovalRuleSection], Field(max_length=100)] = Field(
        default=[],
        description="Each with `prompts` (a glob), `role`, `by` (logins and `@organization/team`) and `count`; see "
        "[overrides](overrides.md#approvals).",
    )


def build_override_policy(section: MergeOverrideSection) -> OverridePolicy:
    """Return the policy of a validated section."""
    return OverridePolicy(
        label=section.label,
        permission=section.permission,
        own_change=section.own_change,
        errors=section.errors,
        approvals=section.approvals,
    )


def build_approval_rules(section: ApprovalsSection) -> tuple[ApprovalRule, ...]:
    """Return the rules of a validated section."""
    return tuple(
        ApprovalRule(prompts=each.prompts, role=each.role, by=tuple(each.by), count=each.count, risk=each.risk)
        for each in section.rules
    )
