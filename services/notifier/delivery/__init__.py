"""From an event to its messages: one delivery for each match, claimed, sent, settled or tried again."""
