"""Simulations that several tests look at: run once in a test run, by whichever of its processes asks first."""

import fcntl
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import ParamSpec, TypeVar

State = TypeVar("State")
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_folders: list[Path] = []
_states: dict[str, object] = {}


def keep_in(folder: Path) -> None:
    """Share what is simulated from now on with every process that names the same folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _folders[:] = [folder]


@contextmanager
def kept_state(key: str, begin: Callable[[], State]) -> Iterator[State]:
    """Yield a simulation as its last user left it, or a new one; what is added to it is kept for the next one."""
    if not _folders:
        yield _states.setdefault(key, begin())  # type: ignore[misc]  # the key tells the type
        return
    with (_folders[0] / sha256(key.encode()).hexdigest()).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        content = file.read()
        state: State = pickle.loads(content) if content else begin()  # noqa: S301 - our own
        yield state
        file.truncate(0)
        file.write(pickle.dumps(state))


def simulated_once(simulate: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return a function that simulates the first time only that it is called so."""

    @wraps(simulate)
    def look_up(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        begin: Callable[[], dict[str, Result]] = dict
        with kept_state(f"{simulate.__name__} {args} {sorted(kwargs.items())}", begin) as results:
            if "result" not in results:
                results["result"] = simulate(*args, **kwargs)
            return results["result"]

    return look_up
