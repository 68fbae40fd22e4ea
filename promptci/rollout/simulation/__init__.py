"""Canaries of a given quality, played through their steps."""
