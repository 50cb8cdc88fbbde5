"""Pure codecs that doors share, each named after its specification. No I/O, no state, no words of the domain."""
