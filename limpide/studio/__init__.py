"""The studio: watch a training, and open its network down to one product of one neuron. A local web application over
run directories.

guard.py              who is let in
server.py             what is answered about runs; no mathematics
inspector_routes.py   what is asked of the networks themselves (inspector/questions.py lists the questions)
inspector_process.py  the process that answers those, apart from the server
series.py             what happened in a run, as short as a screen can show
stream.py             what happens in it now
launch_training.py    a training that somebody starts on the page
path_preview.py       what the path holds that is typed for it
label_marks.py        what somebody thinks of labels
widget.py             the same questions in a notebook
The pages stand in browser/static: small ES modules, no bundler.
"""
