"""A run, or a comparison, as one page of HTML that loads nothing: text of targets is data, and charts are SVG."""
