"""When people are reminded: ladders as data, counted in calendars, and planned anew when they change."""
