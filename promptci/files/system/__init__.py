"""Files by descriptor: what POSIX and Windows do differently stands here alone."""
