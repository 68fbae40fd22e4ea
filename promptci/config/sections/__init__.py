"""Schemas of sections of promptci.yml that are about production: request log, alerts, drift."""
