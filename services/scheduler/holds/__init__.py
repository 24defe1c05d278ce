"""What the registry is about to move is held: none of its old reminders goes out."""
