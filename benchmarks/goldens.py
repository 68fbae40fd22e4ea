"""Reads the cases that are measured, for the scripts; no more than they would do themselves."""

import json
from pathlib import Path
from typing import Any


def read(folder: str) -> list[dict[str, Any]]:
    """Return the cases of all JSONL files of a folder."""
    return [json.loads(line) for file in sorted(Path(folder).iterdir()) for line in file.read_text().splitlines()]
