"""Chooses between the Instruct and the Thinking model of a pair for each request."""
