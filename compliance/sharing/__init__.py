"""Shared mailboxes: makes a mail store do what the groups in the directory say."""
