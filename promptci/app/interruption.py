"""What a signal does that ends a run in order."""

import sys


def interrupt() -> None:
    """Cancel the calls in flight; raise `KeyboardInterrupt` where none are.

    While a model is asked nothing is raised: an exception out of nowhere could strike in the middle of an import, or be
    lost, for Python drops what is raised while a weak reference is cleared or an object is deleted.
    """
    asyncio = sys.modules.get("asyncio")  # without it nothing is asked, and importing it here would take time
    if asyncio is None:
        raise KeyboardInterrupt
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise KeyboardInterrupt from None
    for task in asyncio.all_tasks(loop):
        loop.call_soon_threadsafe(task.cancel)
