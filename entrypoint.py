"""What the container runs."""

import signal

from promptci.action import main

# As a container's first process we get no default for SIGTERM: a cancelled job would wait, and then be killed with
# files that belong to root. Taken as Ctrl-C, it ends in order.
signal.signal(signal.SIGTERM, signal.default_int_handler)

raise SystemExit(main())
