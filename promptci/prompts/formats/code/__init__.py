"""Prompts in programs and data files, read without running them."""
