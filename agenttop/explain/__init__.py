"""The reference: pages of Markdown, what can be looked up in them, and nothing of the other rooms."""
