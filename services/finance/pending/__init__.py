"""Prices, costs and measurements that cannot be computed yet."""
