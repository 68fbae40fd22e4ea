"""Settings of the process that every entry point makes before it imports anything else."""

import gc
import os

GC_THRESHOLD = (150_000, 20, 100)
"""A check of a few cases makes fewer objects than the first number and ends without a collection, which costs 20 ms."""


def configure_process() -> None:
    """Collect garbage rarely, and keep pydantic from searching for plugins.

    Call it before pydantic is imported.
    """
    # Most objects of a run live until its end. At Python's default pace, searching them for garbage takes a tenth of
    # the time.
    gc.set_threshold(*GC_THRESHOLD)
    # pydantic would read the metadata of every installed package to find plugins, and load them.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
