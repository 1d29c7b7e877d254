"""Places in pictures and moments in videos that an answer points at."""
