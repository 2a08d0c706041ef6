"""Room 5, first part: probes collect facts and never judge."""
