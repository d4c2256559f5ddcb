"""`size`: the least array that meets a target, searched for, drawn, verified and solved in full."""
