"""Kommunpost: directory, message log and compliance checks of a municipality's mail."""
