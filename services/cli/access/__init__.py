"""`pledgewire access`: who may do what on Kafka, from one file: users, ACLs, quotas, and the ministries' topics."""
