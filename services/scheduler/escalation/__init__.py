"""Who hears, level after level, of what is overdue and owned by nobody."""
