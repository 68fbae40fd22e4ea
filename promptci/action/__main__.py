"""`python -m promptci.action`."""

from promptci import process_setup

process_setup.configure_process()

from promptci.action.main import main  # noqa: E402 - after the settings

raise SystemExit(main())
