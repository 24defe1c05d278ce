"""`pledgewire doctor`: looks at everything that a house stands on, and says of each what is wrong and what mends it."""
