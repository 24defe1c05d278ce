"""What people read, in every language: messages, days and moments, spans of days, and the names of codes.

English is the source language, so its words stand in the code; `locales/<language>.po` holds each of the others. The
scheduler, the notifier and the portal share this; it knows contracts and zones, and no service.
"""
