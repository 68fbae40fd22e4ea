"""Comparisons and policy in, verdicts and findings out."""
