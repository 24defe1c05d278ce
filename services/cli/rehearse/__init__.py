"""`pledgewire rehearse`: what other ladders would tell, played over the real data, and nothing sent or written."""
