"""How the router's weights are made: labelled prompts, training, measuring."""
