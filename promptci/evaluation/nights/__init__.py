"""Nights: what the commands of drift share. Deployed prompts are asked their goldens, and results are kept."""
