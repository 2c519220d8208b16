"""The runs of this machine: which there are, which one is meant, how to speak to one. Nothing is driven from here."""
