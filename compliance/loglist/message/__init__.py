"""One message from the archive: read within bounds, shown harmlessly, handed over whole."""
