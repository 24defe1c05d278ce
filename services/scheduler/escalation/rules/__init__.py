"""When a milestone is overdue, which level is told next, and what stops it. Pure."""
