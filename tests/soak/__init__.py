"""A soak: everything real, for long, with kills, a restore and receivers that make trouble; nothing may be lost."""
