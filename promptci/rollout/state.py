"""Where each canary stands between two looks: a small file beside the deployment file, with a format number."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from promptci.errors import InputError, Problem
from promptci.files.lines import JsonError, decode_utf8, parse_json

FORMAT = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How far one canary has come."""

    stable: str
    canary: str
    share: float
    since: datetime
    """When this share began."""
    paused: bool = False
    """Whether its share was 0 at the last look, set by a person."""
    rolled_back: datetime | None = None
    why: str = ""
    """Of the rollback."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    stable: str
    canary: str
    share: float = Field(ge=0, le=100, allow_inf_nan=False)
    since: AwareDatetime
    paused: bool = False
    rolled_back: AwareDatetime | None = None
    why: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: int
    prompts: dict[str, _Entry]


def load(data: bytes | None, path: str) -> dict[str, Standing]:
    """Read the file, by prompt; None (no such file) is a first look.

    Raises
    ------
    InputError
        For a file that is not one of ours: what is unknown must not start a canary again.
    """
    if data is None:
        return {}
    fix = "Take back the change, or delete the file: each canary then starts again at its first step."
    try:
        file = _File.model_validate(parse_json(decode_utf8(data, path)))
    except JsonError as error:
        raise InputError([Problem(path=path, message=error.message, hint=fix)]) from error
    except ValidationError as error:
        detail = error.errors()[0]
        what = f"`{'.'.join(map(str, detail['loc']))}` cannot be used: {detail['msg']}"
        raise InputError([Problem(path=path, message=what, hint=fix)]) from error
    if file.format != FORMAT:
        what = f"the format is {file.format}, and this version knows {FORMAT}"
        raise InputError(
            [Problem(path=path, message=what, hint="Use the version of promptci that wrote it, or newer.")]
        )
    return {
        name: Standing(
            stable=one.stable,
            canary=one.canary,
            share=one.share,
            since=one.since.astimezone(UTC),
            paused=one.paused,
            rolled_back=one.rolled_back and one.rolled_back.astimezone(UTC),
            why=one.why,
        )
        for name, one in file.prompts.items()
    }


def dump(standings: dict[str, Standing]) -> str:
    """Give the text of the file."""
    entries = {
        name: {
            "stable": one.stable,
            "canary": one.canary,
            "share": one.share,
            "since": one.since.isoformat(),
            "paused": one.paused,
            "rolled_back": one.rolled_back and one.rolled_back.isoformat(),
            "why": one.why,
        }
        for name, one in sorted(standings.items())
    }
    return json.dumps({"format": FORMAT, "prompts": entries}, indent=2, ensure_ascii=False) + "\n"
