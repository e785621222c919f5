"""What layers give to a search and where its results lie."""
