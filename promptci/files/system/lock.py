"""Lock an open file against other processes, until it is closed or its process ends."""

import os
import sys

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_LOCKED_BYTE = 2**31 - 2
"""Windows locks bytes, which then nobody may read: one behind the end of any file that is locked stands for all."""


def lock_exclusively(descriptor: int) -> None:
    """Lock without waiting.

    Raises
    ------
    BlockingIOError
        Where another process, or another descriptor of this one, holds the lock.
    """
    if sys.platform == "win32":
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from error
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
