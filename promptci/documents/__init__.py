"""The base of every file format that promptci writes: schema id, bounded load, canonical dump, JSON Schema."""
