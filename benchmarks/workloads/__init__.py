"""What is built and measured: one module for each part of the results, each with `run(tools, rounds)`."""
