"""What the sections of promptci.yml share."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

from promptci.config.trust import find_path_problem


class ConfigSection(BaseModel):
    """Base of all sections of promptci.yml. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


def accept_single(value: Any) -> Any:
    """Return a text as a list of one."""
    return [value] if isinstance(value, str) else value


def check_path(value: str, hint: str) -> str:
    """Return a path or glob of the repository; raise ValueError, with what to write instead, for any other."""
    if problem := find_path_problem(value):
        raise ValueError(f"it {problem}. {hint}")
    return value


def _check_file(value: str) -> str:
    return check_path(value, "Name a file of the repository, from its root")


RepositoryFile = Annotated[str, AfterValidator(_check_file)]
"""A file of the repository, or a glob of such files."""
