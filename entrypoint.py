"""What the container runs."""

import signal

from promptci.action import main

# As a container's first process we get no default for SIGTERM: a cancelled job would wait, and then be killed with
# files that belong to root. Taken as Ctrl-C, it ends in order.
signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))

raise SystemExit(main())
