"""What holds for every test of the screen."""

from __future__ import annotations

from textual import _wait

# After every key and every pause a pilot waits until the process has done next to nothing for 20 ms, which took longer
# than all that the tests do. Next to nothing of 4 ms says as much: what a test waits for it asks for (tests.tui.pilot).
_wait.SLEEP_GRANULARITY, _wait.SLEEP_IDLE = 1 / 250, 1 / 250 / 20
