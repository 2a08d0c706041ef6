"""Room 5, second part: a check is a pure function from facts to findings."""
