"""Comparison and policy in, verdict and reasons out."""
