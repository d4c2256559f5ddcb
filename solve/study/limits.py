"""How far one of Newton's steps takes a transistor in series."""

#: least divisor of a step, and least share of its resistance that one leaves a transistor
LEAST_DIVISOR, LEAST_LEFT = 0.05, 0.2
