"""What a viewer is before it is a screen: feeds, plain lines, readers that leave, signals held. No textual."""
