"""When a milestone is overdue, which level is notified next, and what stops it. Pure."""
