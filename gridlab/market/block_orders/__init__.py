"""Block orders over several slots."""
