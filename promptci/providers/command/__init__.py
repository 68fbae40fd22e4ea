"""The application itself as provider: a program that reads cases and writes answers, one JSON line each."""
