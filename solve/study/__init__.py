"""What is asked of a solved network: IR drop, current limits, spread, writes, timing."""
