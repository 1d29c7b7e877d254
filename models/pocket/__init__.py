"""How the pocket pair is made: scenes and text, training, export, evaluation. See README.md."""
