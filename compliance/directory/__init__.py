"""Room 1: people, PCs, units and the mailboxes that follow from them."""
