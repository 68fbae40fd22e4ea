"""Pure numbers: tests, intervals, power. Numbers in, numbers out; nothing here knows what a prompt is."""
