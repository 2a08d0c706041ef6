"""Watch (clause BEVAKNING): how long mail lies unread, who is reminded of it, and the letters."""
