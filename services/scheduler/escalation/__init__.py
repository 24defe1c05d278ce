"""Who is notified, level after level, of what is overdue or unanswered and owned by nobody."""
