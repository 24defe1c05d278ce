"""`pledgewire dead-letters`: the records that could not be taken, why, and what is to become of them."""
