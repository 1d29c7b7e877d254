"""Getting a model: the dialog with what can be had, and the downloads behind it."""
