"""promptfoo's configuration in promptci's terms."""
