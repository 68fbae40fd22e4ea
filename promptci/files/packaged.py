"""Files that travel with the package: templates and the example repository.

In the source tree they stand at the top of the repository, where people look for them; in the wheel and the image
they are in `promptci/_data`, where the build puts them.
"""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def find_packaged_folder(name: str) -> Path:
    """Return the folder `templates` or `example-repo`, installed or in the source tree."""
    installed = PACKAGE / "_data" / name
    return installed if installed.is_dir() else PACKAGE.parent / name
