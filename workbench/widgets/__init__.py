"""What an analyst handles in a notebook: panels and editors over the rooms below, which decide everything.

A panel is a view (its state, without widgets: `query_view`) and a component (what shows it: `assisted_query`, whose
JavaScript is in ``static``). Importing this room imports none of them: a script that draws nothing pays for no widget.
"""
