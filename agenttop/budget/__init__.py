"""What a run may spend: caps, worst cases, a worker's share, the ledger. Arithmetic: no clock, no loop, no library."""
