"""Renders files with Microsoft's own prompty: JSON lines of {text, variables} in, of messages or an error out.

Run by the Python of an environment of its own, which has nothing of promptci.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import prompty  # type: ignore[import-not-found]


def render(text: str, variables: dict[str, Any]) -> list[list[str]]:
    """Return role and content of each message."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.prompty"
        path.write_text(text, encoding="utf-8")
        messages = prompty.prepare(prompty.load(str(path)), variables)
    return [[message["role"], message["content"]] for message in messages]


for line in sys.stdin:
    item = json.loads(line)
    answer: object
    try:
        answer = render(item["text"], item["variables"])
    except Exception as error:  # noqa: BLE001 - the test looks at it
        answer = {"error": repr(error)}
    sys.stdout.write(f"@{json.dumps(answer)}\n")
