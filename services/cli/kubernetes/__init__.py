"""`pledgewire kubernetes`: manifests from the contracts, the access file and a small file of values."""
