"""Estimates: intervals, percentiles, agreement of raters, power."""
