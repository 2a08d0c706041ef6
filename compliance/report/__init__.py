"""Room 5, last part: a report only renders results."""
