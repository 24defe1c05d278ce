"""What an agenda becomes with what is heard, and what it will say. Pure."""
