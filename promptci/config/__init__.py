"""promptci.yml: read, checked, and handed out as the rooms' own options. Nobody below receives the Config."""
