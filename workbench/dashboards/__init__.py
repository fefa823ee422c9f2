"""Dashboards: what the notebooks of ``dashboards/`` show, and the server that gives them to people.

A page has a view model, which knows what may be chosen and what is shown and is tested without a browser
(`collectivite`), and components, which show it (`components`, `collectivite_page`). `server` runs Voila with what it
serves reduced to a closed list (`application`).
"""
