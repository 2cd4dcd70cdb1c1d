"""The studio: watch a training, and open its network down to one product of one unit. A local web application over run
directories.

guard.py              access control
server.py             answers about runs; no mathematics
inspector_routes.py   questions about the networks themselves (inspector/questions.py lists them)
inspector_process.py  the process that answers those, apart from the server
series.py             the history of a run, as short as a screen can show
stream.py             new events of a run
launch_training.py    a training that the user starts on the page
path_preview.py       the contents of a path while the user types it
label_marks.py        the user's judgement of labels
widget.py             the same questions in a notebook
The pages are in browser/static: small ES modules, no bundler.
"""
