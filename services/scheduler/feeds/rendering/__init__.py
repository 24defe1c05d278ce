"""What calendars and feeds of events hold, and how it is written in iCalendar, Atom and RSS. Pure."""
