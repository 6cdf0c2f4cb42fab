"""The market: order frames in; prices, fills and trades out."""
