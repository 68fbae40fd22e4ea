"""What the container runs."""

import signal

from promptci import process_setup

# As a container's first process we get no default for SIGTERM: a job cancelled while the modules are being read would
# wait, and then be killed. The Action sets its own handler as soon as it runs.
signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
process_setup.configure_process()

from promptci.action.main import main  # noqa: E402 - after the handler and the settings

raise SystemExit(main())
