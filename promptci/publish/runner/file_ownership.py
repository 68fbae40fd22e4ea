"""Return files to the workspace's owner: a container writes as root, and the runner could not clean up."""

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from promptci.files.system.folder import Folder


def chown_to_workspace(paths: Iterable[Path], workspace: Path) -> None:
    """Make the workspace's owner own each file and folder, with everything in it, where we are root; else do nothing.

    Of a path inside the workspace the folders on the way to it are given too: they may be ours as well. No
    symbolic link is followed, neither on the way nor inside: a pull request may have put one there. What is
    missing or lies behind a link is passed over.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    status = workspace.stat()
    owner = status.st_uid, status.st_gid
    for path in paths:
        inside = _below(path, workspace)
        start, parts = (workspace, inside) if inside else (path.parent, (path.name,))
        with Folder.open(start) as folder:
            _chown_below(folder, parts, owner)


def _chown_below(folder: Folder, parts: tuple[str, ...], owner: tuple[int, int]) -> None:
    """Change the owner of the folders on the way, and of everything below its end."""
    for part in parts[:-1]:
        try:
            folder.enter(part)
        except OSError:
            return
        if sys.platform != "win32" and folder.descriptor is not None:
            os.fchown(folder.descriptor, *owner)
    _chown_tree(folder, parts[-1], owner)


def _chown_tree(folder: Folder, name: str, owner: tuple[int, int]) -> None:
    try:
        mode = folder.lstat(name).st_mode
        if sys.platform != "win32":
            os.chown(name, *owner, dir_fd=folder.descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        with folder.open_below(name) as below:
            for child in below.names():
                _chown_tree(below, child, owner)


def _below(path: Path, workspace: Path) -> tuple[str, ...]:
    """Return the path's steps below the workspace, without resolving any link; () where it lies elsewhere."""
    whole, root = (Path(os.path.abspath(p)) for p in (path, workspace))  # noqa: PTH100 - resolve() would follow links
    return whole.relative_to(root).parts if whole.is_relative_to(root) else ()
