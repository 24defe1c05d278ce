"""Who is notified, level after level, of what is overdue and owned by nobody."""
