"""Who wants what, where, in which language: subscriptions, and which of them an event matches."""
