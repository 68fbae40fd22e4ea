"""Providers behind an OpenAI-compatible HTTP endpoint: calls, limits, retries, batches."""
