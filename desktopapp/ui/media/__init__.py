"""What the window shows of documents and videos before they are sent, and of places that answers point at."""
