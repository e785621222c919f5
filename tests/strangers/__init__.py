"""Files from strangers: broken on purpose, a file here for each kind of them, and a program that opens them.

What must come of each is the business of `test_files_from_strangers`.
"""
