"""What stands in a consumer's hands for a batch of records that was not read."""


class UnreadBatch(bytes):
    """The value, empty, of the one record that stands for a batch which was not inflated or could not be parsed.

    Its record's offset is the batch's last one, so that whoever puts it aside is past all of them.
    """

    reason: str
    first_offset: int
    sha256: str
    """Of the batch's bytes as they lie in the topic, without their header."""
    length: int
    """Of the same, in bytes."""

    @classmethod
    def of(cls, reason: str, first_offset: int, sha256: str, length: int) -> "UnreadBatch":
        """The value that says this."""
        value = cls()
        value.reason, value.first_offset, value.sha256, value.length = reason, first_offset, sha256, length
        return value
