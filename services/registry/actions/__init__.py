"""What can be done to the register, each in its caller's transaction, with the events about it."""
