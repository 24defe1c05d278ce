"""After an old backup: what the topics know better is taken over, and what they have lost is published again."""
