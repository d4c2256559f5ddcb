"""Arrays that networks are mapped to, and the matrices of their tiles; without PyTorch."""
