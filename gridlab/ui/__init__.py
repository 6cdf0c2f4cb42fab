"""How labs and runs show themselves: words, colours, static pictures, summaries, reports, live controls and plots.

This room knows every other one and none knows it: a lab or a run gets here through `gridlab.doors`.
"""
