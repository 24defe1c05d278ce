"""Calendars and feeds of events, behind private addresses."""
