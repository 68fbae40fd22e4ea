"""Assertions about JSON, XML and HTML in an answer, and about its words."""
