"""Commands from text to effect: parse, apply, describe. Pure, so that the screen, `ctl` and the controller share it."""
