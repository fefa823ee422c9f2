"""What an installation needs beside the package: the files of its supervisor and of its proxy, and its examination.

`files` writes them for one installation; `examination` says what is wrong with one, check by check.
"""
