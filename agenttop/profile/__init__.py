"""What the user wrote: model, loading, checking, secrets, templates. Sends nothing, and knows nobody who does."""
