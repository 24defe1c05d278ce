"""`pledgewire backup` and `restore`: the database, and where the topics ended then, together in one folder."""
