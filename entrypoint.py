"""What the container runs."""

from promptci.action import main

raise SystemExit(main())
