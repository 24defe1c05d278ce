"""The audit log: who changed what, chained by hashes, so that nobody changes it afterwards without being found out."""
