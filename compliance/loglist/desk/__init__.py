"""The disclosure desk's work, behind its pages (docs/decisions/0069-disclosure-desk.md)."""
