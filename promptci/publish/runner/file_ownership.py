"""Return files to the workspace's owner: a container writes as root, and the runner could not clean up."""

import os
import stat
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def chown_to_workspace(paths: Iterable[Path], workspace: Path) -> None:
    """Make the workspace's owner own each file and folder, with everything in it, where we are root; else do nothing.

    Of a path inside the workspace the folders on the way to it are given too: they may be ours as well. No
    symbolic link is followed, neither on the way nor inside: a pull request may have put one there. What is
    missing or lies behind a link is passed over.
    """
    if os.geteuid() != 0:
        return
    owner = workspace.stat()
    for path in paths:
        inside = _below(path, workspace)
        start, parts = (workspace, inside) if inside else (path.parent, (path.name,))
        with closing(_FolderWalk(start, owner.st_uid, owner.st_gid)) as walk:
            walk.chown(parts)


class _FolderWalk:
    """Goes down from a folder by descriptors, so that nothing can be put in the way."""

    def __init__(self, start: Path, uid: int, gid: int) -> None:
        self._owner = uid, gid
        self._folder = os.open(start, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        os.close(self._folder)

    def chown(self, parts: tuple[str, ...]) -> None:
        """Change the owner of the folders on the way, and of everything below its end."""
        for part in parts[:-1]:
            try:
                below = os.open(part, _FOLDER, dir_fd=self._folder)
            except OSError:
                return
            os.close(self._folder)
            self._folder = below
            os.fchown(below, *self._owner)
        self._chown_tree(parts[-1], self._folder)

    def _chown_tree(self, name: str, folder: int) -> None:
        try:
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            os.chown(name, *self._owner, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(mode):
            below = os.open(name, _FOLDER, dir_fd=folder)
            try:
                for child in _names(below):
                    self._chown_tree(child, below)
            finally:
                os.close(below)


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _below(path: Path, workspace: Path) -> tuple[str, ...]:
    """Return the path's steps below the workspace, without resolving any link; () where it lies elsewhere."""
    whole, root = (Path(os.path.abspath(p)) for p in (path, workspace))  # noqa: PTH100 - resolve() would follow links
    return whole.relative_to(root).parts if whole.is_relative_to(root) else ()
