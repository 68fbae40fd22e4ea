"""Folders that promptci reads and writes (cache, memory, output): never through a link, never a committed one.

A pull request can commit anything into its branch. A link would lead writes out of the workspace, and committed answers
would be taken for a model's.
"""

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from promptci.errors import UnsafeError
from promptci.files import write
from promptci.files.system.folder import Folder
from promptci.files.system.open_file import is_link
from promptci.git import command
from promptci.git.repo import Repo
from promptci.git.snapshot import Snapshot


def keep_out_of_git(folder: Path) -> None:
    """Put a .gitignore into a folder of answers, so that `git add --all` does not commit them."""
    ignore_file = folder / ".gitignore"
    if not ignore_file.exists():
        with contextlib.suppress(OSError):  # a cache that cannot be written is no error
            write.write_text(ignore_file, "*\n")


def find_folder_problem(root: Path, folder: Path, head: Snapshot | None = None) -> str | None:
    """Return why a folder must not be used, as a clause; None if it may be.

    `root` is a folder of the repository. A folder outside of the repository belongs to the user and may be used.
    `head` is the tested commit, whose files count as committed even where another one is checked out.
    """
    top = Repo.discover(root).root
    steps = _steps_below(top, root, folder)
    if steps is None:
        return None
    if not steps:
        return "it is the root of the repository"
    if any(step.lower() == ".git" for step in steps):
        return "it is git's own folder"
    problem = _find_link(top, steps)
    if problem is not None:
        return problem
    above = ["/".join(steps[: count + 1]) for count in range(len(steps))]
    listed = command.split_nul(command.run_git(top, "--literal-pathspecs", "ls-files", "-z", "--", *above))
    in_head = head.paths() if head is not None and head.sha is not None else ()
    committed = _find_committed([*listed, *in_head], above)
    return None if committed is None else f"`{committed}` is committed to git"


def check_output_folder(root: Path, folder: Path, *, inside: Path | None = None) -> None:
    """Refuse an output folder that must not be written; `inside` is the folder in which it has to lie.

    Raises
    ------
    UnsafeError
        With the reason.
    """
    hint = "Choose another folder, one that is not in git and no link."
    if inside is not None:
        lexical = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow links
        if not lexical.is_relative_to(os.path.abspath(inside)):  # noqa: PTH100
            raise UnsafeError(f"The output folder {folder} is outside of the workspace", hint)
    problem = find_folder_problem(root, folder)
    if problem is not None:
        if problem.endswith("is committed to git"):
            hint = f"`git rm -r --cached {folder}` takes it out of git, or choose another folder."
        raise UnsafeError(f"The output folder {folder} cannot be used: {problem}", hint)


def _steps_below(top: Path, root: Path, folder: Path) -> tuple[str, ...] | None:
    """Return the steps from the repository's top to the folder, without following links; None if it is elsewhere."""
    lexical = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow the links that are to be found
    named = Path(os.path.abspath(root))  # noqa: PTH100
    if lexical.is_relative_to(top):
        return lexical.relative_to(top).parts
    if lexical.is_relative_to(named):  # the repository itself was named through a link
        return (named.resolve() / lexical.relative_to(named)).relative_to(top).parts
    real = lexical.resolve()
    return real.relative_to(top).parts if real.is_relative_to(top) else None


def _find_link(top: Path, steps: tuple[str, ...]) -> str | None:
    """Open step by step, so that no link is followed; return the first step that is not a folder."""
    try:
        with Folder.open(top) as folder:
            for count, step in enumerate(steps, start=1):
                name = "/".join(steps[:count])
                try:
                    status = folder.lstat(step)
                except FileNotFoundError:
                    return None
                if is_link(status):
                    return f"`{name}` is a symbolic link"
                if not stat.S_ISDIR(status.st_mode):
                    return f"`{name}` is not a folder"
                folder.enter(step)
    except OSError as error:
        return f"it cannot be opened: {error.strerror}"
    return None


def _find_committed(paths: Iterable[str], above: list[str]) -> str | None:
    """Return a committed path at, above (a link or a submodule) or below the folder."""
    below = f"{above[-1]}/"
    return next((path for path in paths if path in above or path.startswith(below)), None)
