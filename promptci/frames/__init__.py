"""pandas DataFrames of what promptci writes, for notebooks.

Reports, the memory of checks, the history branch, the request log and monitor.json. Needs the extra `frames`; nothing
here is used by a run.
"""

from promptci.frames.history import load_history
from promptci.frames.memory import load_verdicts
from promptci.frames.report import load_cases, load_prompts
from promptci.frames.request_log import load_log, load_monitor

__all__ = ["load_cases", "load_history", "load_log", "load_monitor", "load_prompts", "load_verdicts"]
