"""What a caller gives: arrays of many kinds, weights and arguments, checked once and read as they are needed."""
