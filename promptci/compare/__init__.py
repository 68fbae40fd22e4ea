"""Compare two samples of the same cases: estimates, intervals, tests. Knows neither prompts nor git nor verdicts."""
