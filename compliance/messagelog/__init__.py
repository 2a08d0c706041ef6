"""Room 3: what passed. Append-only; owns its PostgreSQL schema."""
