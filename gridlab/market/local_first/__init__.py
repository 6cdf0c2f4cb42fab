"""Local-first clearing, level by level of the grid, and the transport optimum beside it."""
