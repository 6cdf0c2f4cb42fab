"""Day-ahead, intraday, balancing, imbalance; futures, power purchase agreements, community sharing."""
