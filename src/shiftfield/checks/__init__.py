"""Which pixels of a field are to be believed: checks that follow a search, each a bit of `Quality`.

`judge` is the door; `neighbours` and `way_back` are checks of their own.
"""
