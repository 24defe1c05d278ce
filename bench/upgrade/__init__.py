"""How long it takes to back up, restore and upgrade a database of so many deliveries."""
