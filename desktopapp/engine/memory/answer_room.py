"""How much room is made for an answer before anybody knows how long it will be."""

EXPECTED_ANSWER_TOKENS = 2048
"""Room for an answer whose length nobody set. Longer ones go on for as long as memory lasts: the plan says how far."""
