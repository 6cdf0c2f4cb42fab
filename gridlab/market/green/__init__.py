"""Certificates, green products, carbon and what a factory reports."""
