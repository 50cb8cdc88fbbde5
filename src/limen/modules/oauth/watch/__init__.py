"""The token watch: reads in the log what tokens are asked for and shown, and records what is not as usual (`AnomalySeen`).

It follows the log a minute behind, in one process at a time; no request waits for it or pays a statement for it. It keeps one row for each
client, nothing about any person: what concerns one is looked up in the log itself, when there is reason to.
"""
