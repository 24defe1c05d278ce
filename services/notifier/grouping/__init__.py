"""What belongs together goes out together: the windows, which are data, and the rule. Pure."""
