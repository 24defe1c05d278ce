"""What Pledgewire says on its topics: events, envelope, topics. Imports nothing of ours."""
