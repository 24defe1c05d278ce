"""What an instance takes, and how that changes with ten times as much of each: history, subscriptions, reminders."""
