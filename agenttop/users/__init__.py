"""One virtual user's life, and everything compiled for it. Joins wire and dialects; knows no process above it."""
