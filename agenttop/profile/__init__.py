"""What the user wrote: model, loading, checking, secrets, templates. Sends nothing, and imports nothing that does."""
