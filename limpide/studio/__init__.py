"""The studio: watch a training, and open its network down to one product of one neuron. A local web application over
run directories.

guard.py      who is let in                      server.py     what is answered; no mathematics
series.py     what happened in a run, as short as a screen can show
stream.py     what happens in it now             launch.py   a training that somebody starts on the page
path_preview.py   what the path holds that is typed for it
questions.py  what can be asked, and how its values are written
inspector_process.py     the process that looks into networks, apart from the server
looking/      what that process can be asked
widget.py     the same questions in a notebook   label_marks.py    what somebody thinks of labels
The pages stand in browser/static: small ES modules, no bundler.
"""
