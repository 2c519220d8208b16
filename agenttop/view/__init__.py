"""What a viewer is before it is a screen: the feed, plain lines, readers that leave, signals held. No textual."""
