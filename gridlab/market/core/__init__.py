"""The matching core: books, merit order, the walk to the crossing, prices, fills and pairs."""
