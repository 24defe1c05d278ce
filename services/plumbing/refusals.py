"""What our rules answer to something that can't be done as things are; no fault of ours, however often it is given."""


class RefusedByRule(ValueError):
    """An answer of our rules: this one can't be done as things are, whoever asks for it and however often.

    Everything else that an item raises and that does not pass by itself is a fault of ours (`plumbing.isolation`).
    """
