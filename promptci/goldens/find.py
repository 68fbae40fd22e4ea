"""Find the golden files of a prompt, and the files next to them, by their names."""

import re
from collections.abc import Callable

from promptci.goldens.dataset_folder import select_data_files

SIDE_FILE = re.compile(r"\.(labels|quarantine)\.[^/]*$")
"""Files next to goldens that contain no cases."""
NAME = "{name}"


def find_golden_files(
    glob: Callable[[str], list[str]],
    pattern: str,
    name: str,
    escape: Callable[[str], str],
    read: Callable[[str], bytes | None] | None = None,
) -> list[str]:
    """Return the golden files of the prompt `name`; `*.labels.*` and `*.quarantine.*` hold none.

    A pattern with `**` may reach the folder of a Hugging Face data set, whose card says by `read` which files count.

    With a pattern that ends in `{name}.*`, the name ends where a known ending begins: `order.v2.jsonl` belongs to
    the prompt `order.v2` and not to `order`.
    """
    paths = [path for path in glob(pattern.replace(NAME, escape(name))) if not SIDE_FILE.search(path)]
    if "**" in pattern:
        return select_data_files(paths, read)
    if not pattern.endswith(f"{NAME}.*"):
        return paths
    prefix = name.rpartition("/")[2] + "."
    return [path for path in paths if "." not in path.rpartition("/")[2].removeprefix(prefix)]


def quarantine_paths(path: str) -> tuple[str, ...]:
    """Return the paths where the quarantine of a golden file (or of a prompt file with testData) may be."""
    stem = re.sub(r"(\.prompt)?\.[^./]+$", "", path)
    return (f"{stem}.quarantine.yml", f"{stem}.quarantine.yaml")
