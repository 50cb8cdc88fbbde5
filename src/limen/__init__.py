"""Limen: a customer identity platform, the threshold where a visitor becomes a customer."""
