"""What readers are shown: the models of the answers, and the queries that fill them."""
