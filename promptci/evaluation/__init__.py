"""Evaluate prompts: check a change, run one revision. Other use cases repeat these, so this is a layer below them."""
