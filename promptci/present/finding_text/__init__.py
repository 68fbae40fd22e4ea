"""The sentences of every finding, made once from its facts; one function per rule."""
