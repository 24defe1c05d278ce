"""What is to come, what became of what was, and why."""
