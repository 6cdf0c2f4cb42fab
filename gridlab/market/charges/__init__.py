"""What stands between a price and a bill: tariffs, wheeling, landed bills, settlement."""
