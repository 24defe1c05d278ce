"""What decides in the register. Pure: no database, no HTTP, no clock."""
