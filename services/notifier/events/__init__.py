"""The events that people are told of: what the notifier knows of each type, in one table."""
