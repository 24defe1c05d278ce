"""The demo: the joint statement of 2021 played day by day, through everything that is real."""
