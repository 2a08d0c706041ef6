"""The log list: a web application over the message log (Django)."""
