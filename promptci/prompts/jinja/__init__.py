"""A subset of Jinja, evaluated by promptci itself: no template can call code, or take much time or memory."""
