"""Watch deployed prompts: nights, references, probes."""
