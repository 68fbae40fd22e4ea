"""Write what a runner reads: workflow commands, the output file, the step summary. All escaping is done here."""

import os
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from promptci.files.system.open_file import APPEND, open_file
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import secrets

    from promptci.publish import truncate
else:
    secrets = lazy_import("secrets")
    truncate = lazy_import("promptci.publish.truncate")

Level = Literal["error", "warning", "notice"]
OUTPUTS = (
    "verdict",
    "regressions",
    "fixes",
    "quality-delta",
    "cost-delta-per-month",
    "report-path",
    "comment-path",
    "overridden-by",
    "override-reason",
)
"""The outputs of the Action's step, as action.yml lists them."""
MAX_MESSAGE_CHARS = 4096
"""The runner cuts an annotation's message here."""
MAX_TITLE_CHARS = 255
SUMMARY_LIMIT = 900 * 1024
"""The runner drops a step summary of more than 1 MiB altogether."""
SUMMARY_NOTICE = "_The rest was cut here: a step summary has a limit. The whole report is in the run's files._"

_ESCAPE_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\x9c)",  # OSC and similar: titles, hyperlinks, clipboard
    re.DOTALL,
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def escape_data(text: str) -> str:
    """Escape the part of a command after the second `::`."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Escape the value of a command's property."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")


def plain_text(text: str) -> str:
    """Return a part of a line without escape sequences, control and invisible characters; line breaks become spaces."""
    return "".join(map(_plain, _ESCAPE_SEQUENCES.sub("", text)))


def safe_line(text: str) -> str:
    """Return the text as one line that a runner takes for plain text and a terminal shows as it is.

    Beside what `plain_text` does, `> ` is put before `::` at the start, so that an id that begins so can be copied,
    and the legacy `##[`, which counts anywhere, is pulled apart. Safe to apply twice.
    """
    plain = plain_text(text)
    content = plain.lstrip()
    if content.startswith("::"):
        plain = f"{plain[: len(plain) - len(content)]}> {content}"
    return plain.replace("##[", "## [")


def annotation(level: Level, path: str | None, line: int | None, title: str, message: str) -> str:
    """Return the command that shows `message` at a line of a file; without a path, in the run's list."""
    place = {"file": safe_line(path) if path else "", "line": str(line) if path and line else ""}
    properties = {**place, "title": safe_line(title)[:MAX_TITLE_CHARS]}
    parameters = ",".join(f"{name}={escape_property(value)}" for name, value in properties.items() if value)
    body = "\n".join(safe_line(part) for part in message.splitlines())[:MAX_MESSAGE_CHARS]
    return f"::{level}{' ' if parameters else ''}{parameters}::{escape_data(body)}"


def mask(secret: str) -> str:
    """Return the commands that make the runner hide a secret, line by line as a log shows it; `""` for a blank one."""
    parts = dict.fromkeys([secret, *secret.splitlines()])
    return "\n".join(f"::add-mask::{escape_data(part)}" for part in parts if part.strip())


def set_outputs(path: Path, values: Mapping[str, str]) -> None:
    """Append the outputs to the runner's file, each between delimiters that no value can know.

    Raises
    ------
    ValueError
        Where a name could not be read back.
    """
    _append(path, "".join(_entry(name, value) for name, value in values.items()))


def append_summary(path: Path, text: str) -> None:
    """Append Markdown to the step summary, truncated so that the whole stays within 900 KiB."""
    size = path.stat().st_size if path.exists() else 0
    _append(path, truncate.truncate_markdown(text.rstrip() + "\n", SUMMARY_LIMIT - size, SUMMARY_NOTICE))


def _entry(name: str, value: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of an output")
    delimiter = f"ghadelimiter_{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _append(path: Path, text: str) -> None:
    """Append in one write, never through a symbolic link."""
    with os.fdopen(open_file(path, APPEND), "wb") as file:
        file.write(text.encode("utf-8", errors="backslashreplace"))


def _plain(character: str) -> str:
    if character in "\t\x85" or character.isspace():
        return "\t" if character == "\t" else " "
    category = unicodedata.category(character)
    if category == "Cs":
        return f"\\u{ord(character):04x}"
    # Cc and Cf: a runner compares by culture and so overlooks invisible characters inside a command's signs.
    return "" if category in {"Cc", "Cf"} else character
