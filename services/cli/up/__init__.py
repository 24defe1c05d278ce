"""`pledgewire up`: the real thing on the real clock, on one machine, with its state in one folder."""
