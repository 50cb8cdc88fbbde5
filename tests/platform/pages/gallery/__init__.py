"""Every part of a page, on pages as they are in earnest, served by a tiny application."""
