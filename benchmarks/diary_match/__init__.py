"""A synthetic diary with known truth, and how well letters are matched to it."""
