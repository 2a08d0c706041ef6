"""Handing out the log list (G2, G5): what is masked, and the files that are handed out."""
