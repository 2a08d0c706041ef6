"""The seal: proves that no entry of the log was removed, altered, inserted or reordered."""
