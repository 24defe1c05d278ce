"""What an agenda becomes with each event, and which reminders it will fire. Pure."""
