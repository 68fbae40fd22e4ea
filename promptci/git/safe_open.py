"""Open a file of the working tree without following a link anywhere on the way, and without waiting for a pipe."""

import stat
from pathlib import Path

from promptci.errors import InputError, Problem
from promptci.files.system.folder import Folder
from promptci.files.system.open_file import is_link
from promptci.lazy_dataclass import dataclass


def not_plain_file(path: str, message: str) -> InputError:
    """Return the error for a path that is not a plain file."""
    fix = "Prompts, goldens and configuration must be plain files in the repository."
    return InputError([Problem(path=path, message=message, hint=fix)])


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeLimit:
    """How large a file may be."""

    max_bytes: int
    setting: str
    """Key of promptci.yml that sets it, such as `prompts.max_golden_mb`."""

    def refusal(self, path: str, size: int) -> InputError:
        """Return the error for a file that is larger."""
        message = f"the file has {size / 1e6:,.1f} MB; `{self.setting}` allows {self.max_bytes / 1e6:,.6g} MB"
        hint = f"Split the file, or raise `{self.setting}` in promptci.yml."
        return InputError([Problem(path=path, message=message, hint=hint)])


def open_plain_file(root: Path, path: str) -> int | None:
    """Return a descriptor of a plain file below `root`, or None where there is none.

    Each folder is opened from the one above it, so nobody can swap one for a link meanwhile (on Windows, see `Folder`).

    Raises
    ------
    InputError
        For a link, wherever it leads, a device, pipe or socket, a path out of `root`, and a file that may not be read.
    """
    parts = path.split("/")
    if path.startswith("/") or ".." in parts:
        raise not_plain_file(path, "the path leads out of the repository")
    if "\0" in path:
        return None
    with Folder.open(root) as folder:
        try:
            for part in parts[:-1]:
                if not stat.S_ISDIR(_mode(part, folder, path)):
                    return None
                folder.enter(part)
            mode = _mode(parts[-1], folder, path)
            if stat.S_ISDIR(mode):
                return None
            if not stat.S_ISREG(mode):
                raise not_plain_file(path, "this is a device, pipe or socket")
            return folder.open_file(parts[-1])
        except PermissionError as error:
            raise not_plain_file(path, "the file may not be read: permission denied") from error
        except OSError:  # not there, or no name a file can have
            return None


def _mode(part: str, folder: Folder, path: str) -> int:
    status = folder.lstat(part)
    if is_link(status):
        raise not_plain_file(path, "this is, or lies behind, a symbolic link, which is not followed")
    return status.st_mode
