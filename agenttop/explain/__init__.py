"""The reference: pages of Markdown and what can be looked up in them. It knows no other room; tests hold its pages to the code."""
