"""The generated parts of the reference (``agenttop/explain/pages``): what stands between its marks."""
