"""What ships with the server to try it out on, without a network."""
