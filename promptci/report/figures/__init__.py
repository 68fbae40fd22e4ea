"""Figures for slides, e-mail and binders: what a run, a night, a canary and the monitor show."""
