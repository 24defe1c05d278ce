"""`pledgewire packages`: what we stand on: locks, licences, a bill of materials, and what is known against it."""
