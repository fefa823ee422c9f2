"""How the product is watched: what is counted, what is measured when asked, what is sound, and who may know.

Each part is imported by its own name, so that a server does not load what only an operator's notebook needs:
`workbench.watching.requests`, `state`, `health`, `door` for servers; `reading` and `overview` for people.

>>> from workbench.watching.reading import measures
>>> sorted(measures().columns)
['labels', 'metric', 'value']
"""
