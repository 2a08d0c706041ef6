"""The review of a log list against the diary (G3, G7): its rules, without web or database."""
