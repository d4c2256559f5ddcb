"""The extracted network: data, file, and its linear, nonlinear and transient solve."""
