"""What an event says to people: one message in their language, for no channel in particular. Pure."""
