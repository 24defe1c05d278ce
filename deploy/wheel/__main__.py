"""`python -m pledgewire`."""

from . import main

main()
