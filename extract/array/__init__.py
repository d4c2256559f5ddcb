"""Arrays of equal cells: one tile is extracted, the array follows from it."""
