"""The embedded agent: a real server that behaves as AI agents do, so that a load test of it finds something."""
