"""Assertions that measure how near an answer is to a reference text, without a model."""
