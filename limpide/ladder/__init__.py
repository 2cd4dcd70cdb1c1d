"""The ladder: one idea per file, from a neuron of 1943 to the rules that train today's networks, in reading order.

neuron.py        McCulloch and Pitts: a sum and a threshold, set by hand
perceptron.py    Rosenblatt: the weights are learned; what one line cannot separate
adaline.py       Widrow and Hoff: learning as descent on an error, example by example or all at once
descent.py       descent on any function, with the slope from autograd
backprop.py      a hidden layer: errors sent backwards, every one of them visible
convolution.py   the same few weights at every position of an image
pooling.py       fewer positions: the largest or the mean of each window
losses.py        what learning minimises: squared error, hinge, cross-entropy
optimizers.py    six optimizers: SGD, momentum, Nesterov, Adagrad, RMSprop, Adam
race.py          the six on a long valley and on a saddle
recurrent.py     networks that read a sequence: RNN, LSTM, GRU

Each rung is NumPy (descent.py: torch, for its autograd). Those that learn yield the `Step` events of a real training,
so that the same tools can watch them.
"""
