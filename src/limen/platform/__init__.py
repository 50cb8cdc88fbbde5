"""Machinery without domain words: storage, HTTP, keys, pages, delivery."""
