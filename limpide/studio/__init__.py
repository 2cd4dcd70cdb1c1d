"""The studio: watch a training, and open its network down to one product of one neuron. A local web application over run directories.

server.py    who is let in, what is answered; no mathematics
series.py    what happened in a run, as short as a screen can show
worker.py    the process that looks into networks, apart from the server
looking/   what that process can be asked
static/      the pages: small ES modules, no bundler
"""
