"""What a failed request means: the reply or the broken connection put into words, and whether to ask again."""
