"""`pledgewire doctor`: looks at all that an instance depends on, and says what is wrong and what mends it."""
