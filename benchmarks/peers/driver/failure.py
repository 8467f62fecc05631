"""What ends a benchmark early."""


class Failure(Exception):
    """Something that is needed cannot be had; the text says what, and what to do about it."""
