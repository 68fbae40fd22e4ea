"""What the request log says about production: six tables, their summaries, and monitor.json."""
