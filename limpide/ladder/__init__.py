"""The ladder: one idea a file, from a neuron of 1943 to the rules that train today's networks. Read them in this order.

neuron.py        McCulloch and Pitts: a sum and a threshold, set by hand
perceptron.py    Rosenblatt: the weights are learned; what one line cannot separate
adaline.py       Widrow and Hoff: learning as going down an error, example by example or all at once
descent.py       going down any function, with the slope from autograd
backprop.py      a hidden layer: errors sent backwards, every one of them visible
convolution.py   the same few weights at every place of an image
pooling.py       fewer places: the largest or the mean of each window
losses.py        what is to be made small: squared error, hinge, cross-entropy
optimizers.py    six ways down: SGD, momentum, Nesterov, Adagrad, RMSprop, Adam
race.py          the six on a long valley and on a saddle
recurrent.py     networks that read a sequence: RNN, LSTM, GRU

Each rung is NumPy (descent.py: torch, for its autograd). Those that learn yield the `Step` events of a real training,
so that whatever watches a training can watch them.
"""
