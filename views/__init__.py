"""Views of a block for the chip around it."""
