"""Reading the request log into columns by DuckDB, and the scan for what it would misread."""
