"""`pledgewire report`: status updates from a file, row by row, each once."""
